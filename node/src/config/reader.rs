//! Reads settings out of the layers and keeps count: what is in force, what is wrong, what nobody asked for.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use domain::Secret;

use super::error::Mistake;
use super::source::Source;
use super::value::Value;

/// What a value that nobody gave comes from.
pub const DEFAULT: &str = "default";

/// The setting of one key that is in force, as `config check` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The dotted key.
    pub key: String,
    /// Its value; secrets are masked, what is absent and has no default is empty.
    pub value: String,
    /// The layer that it comes from, or "default".
    pub origin: String,
}

/// Hands out settings, the later layers winning.
pub struct Reader {
    layers: Vec<Source>,
    known: BTreeSet<String>,
    effective: Vec<Effective>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Over these layers, the strongest last.
    pub fn new(layers: Vec<Source>) -> Self {
        Self {
            layers,
            known: BTreeSet::new(),
            effective: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// The value of a key that has a default.
    pub fn value<T: Value>(&mut self, key: &str, default: T) -> T {
        match self.parse(key) {
            Some((value, origin)) => {
                self.note(key, T::show(&value), &origin);
                value
            }
            None => {
                self.note(key, default.show(), DEFAULT);
                default
            }
        }
    }

    /// The value of a key that may be absent.
    pub fn optional<T: Value>(&mut self, key: &str) -> Option<T> {
        let found = self.parse(key);
        let (text, origin) = found
            .as_ref()
            .map_or((String::new(), DEFAULT.to_owned()), |(value, origin)| {
                (T::show(value), origin.clone())
            });
        self.note(key, text, &origin);
        found.map(|(value, _)| value)
    }

    /// Tells something better of a key that was read than what was noted then.
    pub fn show(&mut self, key: &str, text: String) {
        if let Some(setting) = self.effective.iter_mut().find(|setting| setting.key == key) {
            setting.value = text;
        }
    }

    /// A secret, given as the value itself or, under `<key>_file`, as the path of a file that holds it.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let inline = self.raw(key);
        let file = self.raw(&file_key);
        if let (Some((_, a)), Some((_, b))) = (&inline, &file) {
            self.mistake(key, format!("is given in {a}, and {file_key} in {b}; give one of them"));
        }
        let from_file = file.and_then(|(path, origin)| Some((self.read_secret(&file_key, Path::new(&path))?, origin)));
        let found = from_file.or(inline.map(|(text, origin)| (Secret::new(text), origin)));
        let origin = found.as_ref().map_or(DEFAULT.to_owned(), |(_, origin)| origin.clone());
        self.note(
            key,
            if found.is_some() {
                "********".to_owned()
            } else {
                String::new()
            },
            &origin,
        );
        found.map(|(secret, _)| secret)
    }

    /// Whether a key is set in a stronger layer than another, or is set alone.
    pub fn outranks(&self, key: &str, other: &str) -> bool {
        let strongest = |key: &str| self.layers.iter().rposition(|layer| layer.values.contains_key(key));
        strongest(key) > strongest(other)
    }

    /// Notes that something is wrong with a key.
    pub fn mistake(&mut self, key: &str, reason: impl Into<String>) {
        self.mistakes.push(Mistake {
            place: key.to_owned(),
            reason: reason.into(),
        });
    }

    /// What is in force of every key, and everything that is wrong.
    pub fn finish(mut self) -> (Vec<Effective>, Vec<Mistake>) {
        for layer in &self.layers {
            for key in layer.values.keys().filter(|key| !self.known.contains(*key)) {
                let hint = nearest(key, &self.known).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                self.mistakes.push(Mistake {
                    place: format!("{key} ({})", layer.name),
                    reason: format!("there is no such key{hint}"),
                });
            }
        }
        (self.effective, self.mistakes)
    }

    /// The value of a key that was given, and the layer that it comes from. Whoever asks must [`note`](Self::note) what is in
    /// force.
    pub fn parse<T: Value>(&mut self, key: &str) -> Option<(T, String)> {
        let (text, origin) = self.raw(key)?;
        let value = T::parse(&text);
        if value.is_none() {
            self.mistakes.push(Mistake {
                place: format!("{key} ({origin})"),
                reason: format!("must be {}", T::EXPECTED),
            });
        }
        Some((value?, origin))
    }

    fn raw(&mut self, key: &str) -> Option<(String, String)> {
        self.known.insert(key.to_owned());
        self.layers
            .iter()
            .rev()
            .find_map(|layer| Some((layer.values.get(key)?.clone(), layer.name.clone())))
    }

    fn read_secret(&mut self, key: &str, path: &Path) -> Option<Secret> {
        match std::fs::read_to_string(path) {
            Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
            Err(error) => {
                let reason = match error.kind() {
                    ErrorKind::InvalidData => "it holds bytes that are no text".to_owned(),
                    _ => error.to_string(),
                };
                self.mistake(key, format!("{} can't be read: {reason}", path.display()));
                None
            }
        }
    }

    /// Notes what is in force of a key.
    pub fn note(&mut self, key: &str, value: String, origin: &str) {
        self.effective.push(Effective {
            key: key.to_owned(),
            value,
            origin: origin.to_owned(),
        });
    }
}

fn nearest<'a>(key: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let scored = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate));
    scored
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.7)
        .map(|(_, candidate)| candidate.as_str())
}
