//! Reads the Prometheus text of `/metrics`.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Debug, Default)]
pub struct Metrics {
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Parses a scrape.
    ///
    /// # Panics
    /// On a line that is not of the format.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let series = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| parse_line(line).unwrap_or_else(|| panic!("no metric line: {line}")))
            .collect();
        Self { series }
    }

    /// Whether it shows nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Adds another scrape: sums are over both.
    pub(crate) fn extend(&mut self, other: Self) {
        self.series.extend(other.series);
    }

    /// Whether there is a series of this name (a histogram's name stands for its `_count`).
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let count = format!("{name}_count");
        self.series.iter().any(|series| series.name == name || series.name == count)
    }

    /// The sum of all series of this name that carry these labels.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|series| series.value).sum()
    }

    /// The values that a label takes in the series of a name.
    #[must_use]
    pub fn values_of<'a>(&'a self, name: &'a str, label: &str) -> Vec<&'a str> {
        self.matching(name, &[]).filter_map(|series| series.labels.get(label).map(String::as_str)).collect()
    }

    fn matching<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| {
            series.name == name && labels.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|v| v == value))
        })
    }
}

fn parse_line(line: &str) -> Option<Series> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = series.split_once('{') else {
        return Some(Series { name: series.to_owned(), labels: BTreeMap::new(), value });
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}')?;
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"")?;
        let end = closing_quote(after)?;
        labels.insert(key.to_owned(), after[..end].to_owned());
        rest = after[end + 1..].trim_start_matches(',');
    }
    Some(Series { name: name.to_owned(), labels, value })
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_labels_and_values_are_read() {
        let metrics = Metrics::parse(concat!(
            "# HELP a_total text\n",
            "a_total{service=\"x\",path=\"/v1/{user}\\\"\"} 3\n",
            "a_total{service=\"y\"} 4.5\n",
            "b 1\n",
            "c_bucket{le=\"+Inf\"} 2\nc_count 2\nc_sum 0.5\n",
        ));
        assert_eq!(metrics.sum("a_total", &[]), 7.5);
        assert_eq!(metrics.sum("a_total", &[("service", "x")]), 3.0);
        assert_eq!(metrics.values_of("a_total", "service"), ["x", "y"]);
        assert!(metrics.has("c"));
        assert!(!metrics.has("d"));
    }
}
