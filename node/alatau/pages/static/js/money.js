// Amounts for people and back: token units are whole numbers (BigInt), shown with the token's decimals.

// Written out here, since browsers lack the data of some languages.
const SIGNS = { en: [",", "."], ru: ["\u00a0", ","], kk: ["\u00a0", ","] };

export function formatUnits(units, decimals, language) {
  const [group, point] = SIGNS[language];
  const digits = String(units).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, group);
  return decimals === 0 ? whole : `${whole}${point}${digits.slice(-decimals)}`;
}

// What somebody typed, with a point or a comma and any spaces; null where it is no amount.
export function parseUnits(text, decimals) {
  const match = /^(\d{1,15})(?:[.,](\d*))?$/.exec(text.replace(/[\s\u00a0\u202f']/g, ""));
  if (match === null || (match[2] ?? "").length > decimals) return null;
  return BigInt(match[1]) * 10n ** BigInt(decimals) + BigInt((match[2] ?? "").padEnd(decimals, "0") || "0");
}
