//! A metric by address without a series per address: only the top offenders have a name, the rest is `other`.
//!
//! Prometheus series can't be taken back, so this table is not in the registry: it is written into the exposition as it
//! stands at that moment. Counting is Misra and Gries' "space saving": a bounded table in which a new key takes over
//! the smallest entry, so that whoever is frequent is in the table, whatever the number of keys.

use std::collections::HashMap;
use std::fmt::Write;

use parking_lot::Mutex;

/// Entries that are shown by name.
const SHOWN: usize = 20;

/// Entries that are counted; many more than shown, so that the shown counts are close to exact.
const TRACKED: usize = 512;

/// The top offenders of one metric.
#[derive(Debug)]
pub struct TopOffenders {
    metric: &'static str,
    label: &'static str,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_key: HashMap<String, u64>,
    total: u64,
}

impl TopOffenders {
    pub(super) fn new(metric: &'static str, label: &'static str) -> Self {
        Self { metric, label, counts: Mutex::default() }
    }

    pub(super) fn metric(&self) -> &'static str {
        self.metric
    }

    /// Counts one offence.
    pub fn record(&self, key: &str) {
        let mut counts = self.counts.lock();
        counts.total += 1;
        if let Some(count) = counts.by_key.get_mut(key) {
            *count += 1;
            return;
        }
        let mut start = 0;
        if counts.by_key.len() >= TRACKED {
            let smallest = counts.by_key.iter().min_by_key(|(_, count)| **count);
            if let Some((smallest, count)) = smallest.map(|(key, count)| (key.clone(), *count)) {
                counts.by_key.remove(&smallest);
                start = count;
            }
        }
        counts.by_key.insert(key.to_owned(), start + 1);
    }

    /// The top entries, the most frequent first, and how many offences the rest made.
    pub fn top(&self) -> (Vec<(String, u64)>, u64) {
        let counts = self.counts.lock();
        let mut all: Vec<(String, u64)> = counts.by_key.iter().map(|(key, count)| (key.clone(), *count)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(SHOWN);
        let shown: u64 = all.iter().map(|(_, count)| count).sum();
        let other = counts.total.saturating_sub(shown);
        (all, other)
    }

    pub(super) fn render(&self, service: &str, text: &mut String) {
        let (top, other) = self.top();
        let (metric, label) = (self.metric, self.label);
        let _ = writeln!(text, "# TYPE {metric} gauge");
        for (key, count) in top {
            let key = key.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(text, "{metric}{{service=\"{service}\",{label}=\"{key}\"}} {count}");
        }
        let _ = writeln!(text, "{metric}{{service=\"{service}\",{label}=\"other\"}} {other}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_have_a_name_and_the_rest_is_counted_together() {
        let table = TopOffenders::new("auth_login_failed_by_ip", "ip");
        for round in 0..100 {
            for worst in 0..SHOWN {
                table.record(&format!("10.0.0.{worst}"));
            }
            table.record(&format!("192.0.2.{round}"));
        }
        let (top, other) = table.top();
        assert_eq!(top.len(), SHOWN);
        assert!(top.iter().all(|(key, count)| key.starts_with("10.0.0.") && *count == 100));
        assert_eq!(other, 100);
    }

    #[test]
    fn a_flood_of_keys_neither_grows_the_table_nor_hides_the_worst() {
        let table = TopOffenders::new("auth_login_failed_by_ip", "ip");
        for flood in 0..20_000 {
            table.record(&format!("flood-{flood}"));
            if flood % 10 == 0 {
                table.record("worst");
            }
        }
        assert!(table.counts.lock().by_key.len() <= TRACKED);
        assert_eq!(table.top().0[0].0, "worst");
    }
}
