import assert from "node:assert/strict";
import { test } from "node:test";
import { chineseWords } from "../form/words.ts";

const HEADING = "同意在小区服务器和门禁上保存我的人脸特征";

test("no word of a Chinese heading is broken, and nothing is lost", () => {
  const words = chineseWords(HEADING);
  assert.ok(words.includes("门禁上"), words.join("|"));
  assert.ok(words.some((word) => word.startsWith("服务器")), words.join("|"));
  assert.equal(words.join(""), HEADING);
});

test("a line never begins with a punctuation mark", () => {
  assert.ok(chineseWords("不想用人脸？请联系物业。").every((word) => !/^[？。]/.test(word)));
});
