//! What a container sees under one name and this machine has under another: addresses, folders, networks.

/// Names and what stands for them here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<(String, String)>);

impl Places {
    /// Adds a place.
    pub(crate) fn add(&mut self, name: impl Into<String>, here: impl ToString) {
        self.0.push((name.into(), here.to_string()));
    }

    /// These and others.
    pub(crate) fn and(&self, others: &[(&str, String)]) -> Self {
        let mut all = self.clone();
        for (name, here) in others {
            all.add(*name, here);
        }
        all
    }

    /// The text with every name replaced, the longest one first; what was put in is not looked at again.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let found = self.0.iter().filter(|(name, _)| rest.starts_with(name.as_str()));
            match found.max_by_key(|(name, _)| name.len()) {
                Some((name, here)) => {
                    replaced += here;
                    rest = &rest[name.len()..];
                }
                None => {
                    replaced.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        replaced
    }
}

#[test]
fn the_longest_name_wins_and_nothing_is_replaced_twice() {
    let mut places = Places::default();
    places.add("/data", "/tmp/x/data");
    places.add("/tmp", "/tmp/x/tmp");
    places.add("/data/keys", "/keys");
    assert_eq!(places.in_text("/data/a /data/keys/b /tmp/c é"), "/tmp/x/data/a /keys/b /tmp/x/tmp/c é");
}
