// Ranks the entries of the book for a query. The page of results loads this, and so do the tests.
"use strict";

var BookSearch = (() => {
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron " +
    "pi rho sigma sigma tau upsilon phi chi psi omega";
  const greek = new Map(GREEK.split(" ").map((name, i) => [String.fromCharCode(0x3b1 + i), name]));

  // What counts how much: a word in the title more than one in the text.
  const BOOST = { title: 3, name: 3, trail: 0.5, text: 1 };
  // Functions are looked for by their names, and a question rather means what the book says.
  const BOOST_KIND = {
    claim: 1.2, belief: 1.2, definition: 1.2, exercise: 0.8, assignment: 0.8, function: 0.5,
  };

  const MOST = 30; // results: a common word is in hundreds of texts, and the last ones answer nothing

  const WORD = /[\p{L}\p{N}]+(?:[-_.][\p{L}\p{N}]+)*/gu;
  // The words in CrossEntropyLoss, NLLLoss, log_softmax; "NLLs" and "log1p" are one each.
  const PART = /\p{Lu}{2,}s(?!\p{Ll})|\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{N}]+|[\p{Lu}\p{N}]+|\p{L}+/gu;

  const stemmer = new Stemmer();

  function stem(word) {
    const spelt = word.toLowerCase().replace(/iz(e|es|ed|er|ers|ing|ation|ations)$/, "is$1");
    return stemmer.stemWord(spelt);
  }

  function plain(text) {
    return text
      .replace(/[²³¹⁰-ⁿ]+/gu, " ") // powers are no part of the name
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .replace(/['’](?=s\b|t\b)/g, "")
      .replace(/[‐‑–−]/g, "-")
      .replace(/[α-ω]/gu, (letter) => greek.get(letter));
  }

  class Words {
    constructor({ stop, numbers, abbreviations }) {
      this.numbers = new Map(Object.entries(numbers));
      this.stop = new Set(plain(stop).split(/\s+/));
      this.seen = new Map();
      this.phrases = new Map(); // by their first word, the longest first
      for (const [phrase, short] of Object.entries(abbreviations)) {
        const words = phrase.split(" ").map(stem);
        const others = this.phrases.get(words[0]) ?? [];
        this.phrases.set(words[0], [...others, { words, short: short.split(" ") }]
          .sort((one, other) => other.words.length - one.words.length));
      }
    }

    // The terms of a text: stems, the parts of compounds and the whole of them, abbreviations. A
    // phrase that has an abbreviation is what it says: cross-entropy is no entropy.
    terms(text) {
      const parts = [];
      const wholes = [];
      for (const [word] of plain(text).matchAll(WORD)) {
        if (!this.seen.has(word)) this.seen.set(word, this.compound(word));
        const { whole, stems } = this.seen.get(word);
        if (whole) wholes.push(whole);
        parts.push(...stems);
      }
      for (let i = 0; i < parts.length; i++) {
        const found = (this.phrases.get(parts[i]) ?? [])
          .find(({ words }) => words.every((word, j) => parts[i + j] === word));
        if (found) parts.splice(i, found.words.length, ...found.short);
      }
      return [...parts, ...wholes];
    }

    compound(word) {
      const parts = word.match(PART).map((part) => part.toLowerCase());
      return {
        whole: parts.length > 1 && stem(parts.join("")),
        stems: parts.filter((part) => !this.stop.has(part))
          .map((part) => this.numbers.get(part)?.toString() ?? stem(part)),
      };
    }
  }

  class Search {
    constructor({ words, entries }) {
      this.words = new Words(words);
      this.entries = entries;
      this.places = new Map(); // in how many titles and texts a term is
      this.mini = new MiniSearch({
        fields: Object.keys(BOOST),
        tokenize: (text) => {
          const terms = this.words.terms(text);
          for (const term of new Set(terms)) this.places.set(term, (this.places.get(term) ?? 0) + 1);
          return terms;
        },
        processTerm: (term) => term,
      });
      this.mini.addAll(entries.map((entry, id) => ({
        id,
        title: entry.kind === "quiz" ? "" : entry.title,
        name: [entry.name?.replace(/[-_.]/g, ""), entry.number].join(" "), // as one word
        trail: this.trail(entry).map(({ title }) => title).join(" "),
        text: entry.kind === "quiz" ? entry.title : entry.text ?? "",
      })).filter(({ id, text }) => text || entries[id].kind !== "section"));
    }

    // The sections that an entry is in, the page first.
    trail(entry) {
      const outer = this.entries[entry.in];
      return outer ? [...this.trail(outer), outer] : [];
    }

    // The best entries first, each with the stems that were found in it. Who types the name of a
    // claim or a function wants that, unless it is a word that the book defines.
    find(query) {
      const unknown = (term) => !this.places.has(term);
      const rare = (term) => Math.log(1 + this.entries.length / (this.places.get(term) ?? 1));
      const results = this.mini.search(query, {
        tokenize: (text) => this.words.terms(text),
        // MiniSearch weighs a word by how rare it is in titles, or in texts. A word that all texts
        // have, but few titles, is common nevertheless.
        boostTerm: rare,
        boost: BOOST,
        boostDocument: (id) => BOOST_KIND[this.entries[id].kind] ?? 1,
        fuzzy: (term) => unknown(term) && 0.3, // for what may be misspelt
        prefix: (term, i, terms) => unknown(term) || (i === terms.length - 1 && term.length > 2),
      });
      const asked = query.trim().toLowerCase();
      const isNamed = ({ entry: { name } }) => !!name && `.${name.toLowerCase()}`.endsWith(`.${asked}`);
      const isDefined = ({ entry: { kind, title } }) =>
        ["definition", "term"].includes(kind) && title.toLowerCase() === asked;
      const order = (one) => [
        isNamed(one) && one.entry.kind !== "function", isDefined(one), isNamed(one), true,
      ].indexOf(true);
      const told = new Set();
      return results.map(({ id, terms }) => ({ entry: this.entries[id], terms }))
        .sort((one, other) => order(one) - order(other))
        .filter(({ entry: { kind, text } }) =>
          kind !== "term" || (!told.has(text) && told.add(text))) // one of several synonyms
        .slice(0, MOST);
    }

    // The words of a query that no text has, nor any that begins with them.
    missing(query) {
      const known = [...this.places.keys()];
      const terms = new Set(this.words.terms(query)
        .filter((term) => !known.some((one) => one.startsWith(term))));
      return [...query.matchAll(WORD)].map(([word]) => word)
        .filter((word) => this.words.compound(plain(word)).stems.some((term) => terms.has(term)));
    }

    // A text as [words, whether they were looked for] pairs, of which `length` characters are kept.
    marked(text, terms, length) {
      const wanted = new Set(terms);
      const hits = [];
      for (const match of text.matchAll(/[\p{L}\p{N}\p{M}]+(?:[-_.‐‑–−][\p{L}\p{N}\p{M}]+)*/gu)) {
        const found = this.words.terms(match[0]).filter((term) => wanted.has(term));
        if (found.length) hits.push({ start: match.index, end: match.index + match[0].length, found });
      }
      let from = 0;
      let most = 0;
      for (const { start } of length < text.length ? hits : []) {
        const near = hits.filter((hit) => hit.start >= start && hit.end <= start + length * 0.8);
        const different = new Set(near.flatMap((hit) => hit.found)).size;
        if (different > most) [most, from] = [different, start];
      }
      if (from > length * 0.2) from = text.indexOf(" ", from - length * 0.2) + 1;
      else from = 0;
      let to = text.length;
      if (from + length < to) to = text.lastIndexOf(" ", from + length);
      const pieces = [[from > 0 ? "… " : "", false]];
      let done = from;
      for (const { start, end } of hits.filter((hit) => hit.start >= from && hit.end <= to)) {
        pieces.push([text.slice(done, start), false], [text.slice(start, end), true]);
        done = end;
      }
      pieces.push([text.slice(done, to) + (to < text.length ? " …" : ""), false]);
      return pieces.filter(([words]) => words);
    }
  }

  return { Search };
})();
