//! The labels of a series, sorted by name, as Prometheus keeps and compares them.

use std::fmt;

/// The label that holds the name of a metric.
pub(crate) const NAME: &str = "__name__";

/// Names with values. A label with an empty value is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// The value of a label; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        match self.place(name) {
            Ok(at) => &self.0[at].1,
            Err(_) => "",
        }
    }

    /// With a label; an empty value removes it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.place(name) {
            Ok(at) if value.is_empty() => drop(self.0.remove(at)),
            Ok(at) => value.clone_into(&mut self.0[at].1),
            Err(_) if value.is_empty() => {}
            Err(at) => self.0.insert(at, (name.to_owned(), value.to_owned())),
        }
    }

    /// Without the name of the metric, which no longer says what the value is.
    pub(crate) fn nameless(&self) -> Self {
        self.without(&[])
    }

    /// Those labels alone.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        self.filtered(|name| names.iter().any(|one| one == name))
    }

    /// All but those labels and the name.
    pub(crate) fn without(&self, names: &[String]) -> Self {
        self.filtered(|name| name != NAME && !names.iter().any(|one| one == name))
    }

    /// All but those labels; the name stays.
    pub(crate) fn except(&self, names: &[String]) -> Self {
        self.filtered(|name| !names.iter().any(|one| one == name))
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(name, _)| keep(name));
        Self(kept.cloned().collect())
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_str().cmp(name))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut labels = Self::default();
        for (name, value) in pairs {
            labels.set(name, value);
        }
        labels
    }
}

/// As Prometheus writes a series: `name{label="value"}`.
impl fmt::Display for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.get(NAME);
        out.write_str(name)?;
        let rest: Vec<String> = self
            .iter()
            .filter(|(label, _)| *label != NAME)
            .map(|(label, value)| {
                // Since Prometheus 3 any text can be a name.
                if is_label_name(label) {
                    format!("{label}={value:?}")
                } else {
                    format!("{label:?}={value:?}")
                }
            })
            .collect();
        if rest.is_empty() && !name.is_empty() {
            return Ok(());
        }
        write!(out, "{{{}}}", rest.join(", "))
    }
}

/// Whether a text can name a label without quotes.
pub(crate) fn is_label_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
