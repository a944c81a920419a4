/** Files may be brought back from the trash this long; then they are gone for good (C58). */
export const TRASH_DAYS = 30;
