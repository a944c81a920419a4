/**
 * The commonest function words of eight languages, without accents. They carry no meaning for a search, and counting
 * them tells the language of a text. Own compilation; a word stands in every language that has it.
 */
const LISTS = {
  en: `a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing down during each few for from further had has have having he her here hers him his how i if in
    into is it its just like me more most my no nor not now of off on once only or other our out over own same she
    should so some such than that the their them then there these they this those through to too under until up very
    was we were what when where which while who whom why will with would you your`,
  de: `aber alle als am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des die dir doch du
    durch ein eine einem einen einer eines er es etwas euch fur hab habe haben hat hatte hier ich ihm ihn ihr im in ist
    ja jetzt kann kein keine mein meine mich mir mit nach nicht noch nur oder ohne sehr sich sie sind so uber um und uns
    unser unter vom von vor war waren was weil wenn wer werden wie wir wird wo zu zum zur`,
  fr: `a ai au aux avec c ce cet cette ces comme d dans de des du elle elles en est et etait ete etre eu fait il ils j
    je l la le les leur leurs lui m ma mais me meme mes moi mon n ne nos notre nous on ont ou par pas plus pour qu que
    qui s sa sans se ses si son sont sur t ta te tes toi ton tres tu un une vos votre vous y`,
  es: `al algo como con cual cuando de del desde donde dos el ella ellas ellos en entre era es esa ese eso esta este
    esto fue ha hasta hay la las le les lo los mas me mi muy no nos o para pero por porque que quien se ser si sin
    sobre son su sus tambien te tiene todo tu un una uno unos y ya yo`,
  it: `a ad ai al alla alle anche avere c che chi ci come con cosa d da dal dalla degli dei del della delle di dove e ed
    era essere gli ha hanno ho i il in io l la le lei lo loro lui ma mi mia mio molto ne nel nella noi non nostro o per
    perche piu quando quella quello questa questo sei si sia sono sta su sua sul suo ti tra tu tutto un una uno vi voi`,
  pt: `a ao aos as ate com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta este eu foi
    ha isso isto ja lhe mais mas me mesmo meu minha muito na nao nas no nos nossa nosso num numa o os ou para pela pelo
    por qual quando que quem se sem ser seu sua so tambem te tem tu um uma voce voces`,
  nl: `aan al als bij dan dat de deze die dit doen door een en er ge geen geweest haar had heb hebben heeft hem het hier
    hij hoe hun ik in is je jij kan kon maar me met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op
    over te tegen toch toen tot u uit uw van veel voor want waren was wat we wel werd wezen wie wij wil worden zal ze zei
    zich zij zijn zo zonder zou`,
  sv: `alla allt att av bli blir da de dem den denna deras dess dessa det detta dig din du efter eller en er ett fran
    for ha hade han hans har henne hennes hon hur i inte jag ja kan kunde man med mellan men mig min mot mycket nar
    nagon nagot ni nu och om oss pa sa samma sedan sig sin skulle som till under upp ut utan vad var vara vi vid vill`,
} as const;

/** ISO 639-1 codes of the languages that are told apart by their function words. */
export type StopWordLanguage = keyof typeof LISTS;

/** Language -> its function words. */
export const STOP_WORDS_BY_LANGUAGE: ReadonlyMap<StopWordLanguage, ReadonlySet<string>> = new Map(
  Object.entries(LISTS).map(([language, words]) => [
    language as StopWordLanguage,
    new Set(words.split(/\s+/)),
  ]),
);

/**
 * Words that are noise in a search. Only those that carry no meaning in English either: `die`, `den`, `van`, `con`,
 * `sole` and their like are words that somebody may look for, and an English query must find them.
 */
const MEANINGFUL_IN_ENGLISH = new Set(
  `die den van con sin son era pour sale sur per met men man war bin dir ton mes no not fait pas main once sei sta
   han hans hat ha ete din dig ten door dan hun ze hoe kan over upp out under like`.split(/\s+/),
);
export const SEARCH_STOP_WORDS: ReadonlySet<string> = new Set([
  ...STOP_WORDS_BY_LANGUAGE.get('en')!,
  ...[...STOP_WORDS_BY_LANGUAGE.values()]
    .flatMap((words) => [...words])
    .filter((word) => !MEANINGFUL_IN_ENGLISH.has(word)),
]);
