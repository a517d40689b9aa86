// Where a Chinese heading may break: between words, not inside one. Browsers break Chinese
// between any two characters.

/** The words of a Chinese sentence; joined they are the sentence. */
export function chineseWords(sentence: string): string[] {
  // Firefox had no segmenter before version 125: the heading then breaks as it always did.
  if (!("Segmenter" in Intl)) return [sentence];
  const words: string[] = [];
  for (const { segment } of new Intl.Segmenter("zh-CN", { granularity: "word" }).segment(sentence)) {
    // A single character is a particle, a punctuation mark or the end of a word that the
    // segmenter does not know: no line begins with it.
    if (words.length && [...segment].length === 1) words[words.length - 1] += segment;
    else words.push(segment);
  }
  return words;
}
