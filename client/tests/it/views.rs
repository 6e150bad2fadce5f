//! The recorded views in `protocol/vectors/views`: what is unread after each step, held for this client and for the SDK alike.

use std::path::Path;

use client::core::{ConversationView, Entry};
use protocol::frames::From;
use protocol::{Seq, StreamId, Tag};
use serde_json::value::to_raw_value;
use serde_json::{Value, from_value};

#[test]
fn the_view_counts_what_the_vectors_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors/views");
    let mut played = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let story: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut view = ConversationView::new(from_value(story["me"].clone()).unwrap());
        for (number, step) in story["steps"].as_array().unwrap().iter().enumerate() {
            play(&mut view, step);
            assert_eq!(view.unread(), step["unread"], "{}, step {}: {step}", path.display(), number + 1);
        }
        played += 1;
    }
    assert!(played >= 3, "the vectors are there");
}

fn play(view: &mut ConversationView, step: &Value) {
    if let Some(given) = step.get("entry") {
        let body = &given["body"];
        let seq: Seq = body["seq"].as_u64().unwrap_or_default();
        let stream = StreamId::conversation(from_value(body["conversation"].clone()).unwrap());
        let entry = Entry {
            from: From { stream, seq, tag: Tag(0) },
            name: given["type"].as_str().unwrap().to_owned(),
            at: None,
            body: to_raw_value(body).unwrap(),
        };
        view.apply(&entry).unwrap();
    } else if let Some(given) = step.get("stands") {
        view.stands(&from_value(given.clone()).unwrap());
    } else if let Some(given) = step.get("marker") {
        view.mark_read(from_value(given.clone()).unwrap());
    } else if let Some(given) = step.get("page") {
        view.merge(from_value(given.clone()).unwrap());
    } else {
        assert!(step.get("reset").is_some(), "an unknown step: {step}");
        view.reset();
    }
}
