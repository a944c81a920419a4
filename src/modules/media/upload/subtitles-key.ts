/** Where the .srt or .vtt file that came with a video lies: beside the original. */
export function subtitlesKeyOf(originalKey: string): string {
  return `${originalKey}.subtitles`;
}
