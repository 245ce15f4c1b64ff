//! What commands say when they fail: a sentence for people, or one JSON object for programs, on standard error.

use std::io::Write;

use serde::Serialize;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The code to branch on: the server's, or one of ours.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it, if there is more to say.
    pub hint: Option<String>,
}

/// The JSON object as a whole.
#[derive(Serialize)]
struct Wrapped<'a> {
    error: &'a Complaint,
}

impl Complaint {
    /// Without a hint.
    pub fn new(code: &str, message: impl ToString) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_string(),
            hint: None,
        }
    }

    /// What the parser of the arguments says: the first paragraph is what is wrong, the rest helps.
    pub fn of_usage(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let (message, help) = text.split_once("\n\n").unwrap_or((&text, ""));
        let hint = Some(help.trim().to_owned()).filter(|help| !help.is_empty());
        let message = message.strip_prefix("error: ").unwrap_or(message).trim();
        Self {
            hint,
            ..Self::new("USAGE", message)
        }
    }

    /// Tells it. Nobody can be told that this failed.
    pub fn tell(&self, is_json: bool) {
        let text = if is_json { self.as_json() } else { self.as_text() };
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    fn as_json(&self) -> String {
        serde_json::json!(Wrapped { error: self }).to_string()
    }

    fn as_text(&self) -> String {
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("\n{hint}"));
        format!("agentidp: {}{hint}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_lines_and_programs_one_object() {
        let mut complaint = Complaint::new("X", "it broke");
        assert_eq!(complaint.as_text(), "agentidp: it broke");
        assert_eq!(
            complaint.as_json(),
            r#"{"error":{"code":"X","hint":null,"message":"it broke"}}"#
        );
        complaint.hint = Some("mend it".to_owned());
        assert_eq!(complaint.as_text(), "agentidp: it broke\nmend it");
        assert!(complaint.as_json().contains(r#""hint":"mend it""#));
    }
}
