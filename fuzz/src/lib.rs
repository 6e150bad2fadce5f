//! Parsers of outside input under fuzz: each target in `tests/` takes thousands of broken inputs with `cargo test`; `PROPTEST_CASES` sets how many.
//!
//! A target states what must hold for any input: no panic, no memory beyond what came in, and that what was accepted reads back
//! the same. Bytes without structure are refused by the first check of any parser and find nothing, so inputs are mutations of
//! valid ones: bits flipped, pieces cut out, doubled, swapped with pieces of other inputs.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change to an input.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index, Index),
    Double(Index, Index),
    Insert(Index, Vec<u8>),
    Splice(Index, Index, Index),
}

/// Inputs that were valid before up to eight changes were made to them.
pub fn mutated(corpus: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let mutation = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Cut(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Double(from, to)),
        (any::<Index>(), piece()).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(at, other, from)| Mutation::Splice(at, other, from)),
    ];
    (any::<Index>(), vec(mutation, 0..8)).prop_map(move |(start, mutations)| {
        let mut input = corpus[start.index(corpus.len())].to_vec();
        for mutation in mutations {
            apply(&mut input, mutation, corpus);
        }
        input
    })
}

/// What breaks parsers: edges of numbers, nesting, odd Unicode, control characters.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 1..16),
        prop::sample::select(vec![
            "18446744073709551616",
            "-1",
            "1e309",
            "null",
            "[[[[[[[[",
            "{\"a\":{\"a\":{\"a\":",
            "\\ud800",
            "\u{202e}",
            "\0",
            "\r\n\r\n",
            "..",
            "%00",
            "::ffff:127.0.0.1",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn apply(input: &mut Vec<u8>, mutation: Mutation, corpus: &[&[u8]]) {
    let range = |input: &Vec<u8>, from: Index, to: Index| {
        let (a, b) = (from.index(input.len() + 1), to.index(input.len() + 1));
        a.min(b)..a.max(b)
    };
    match mutation {
        Mutation::Flip(at, bits) => {
            if !input.is_empty() {
                let at = at.index(input.len());
                input[at] ^= bits;
            }
        }
        Mutation::Cut(from, to) => {
            input.drain(range(input, from, to));
        }
        Mutation::Double(from, to) => {
            let range = range(input, from, to);
            let copy = input[range.clone()].to_vec();
            input.splice(range.end..range.end, copy);
        }
        Mutation::Insert(at, bytes) => {
            let at = at.index(input.len() + 1);
            input.splice(at..at, bytes);
        }
        Mutation::Splice(at, other, from) => {
            let other = corpus[other.index(corpus.len())];
            let from = from.index(other.len() + 1);
            let at = at.index(input.len() + 1);
            input.splice(at.., other[from..].iter().copied());
        }
    }
}
