//! An event in one line.

use sdk::AuditEvent;

use crate::cli::client::output::{Output, or_dash};

/// Prints an event: as JSON for programs, else what people look for first.
pub fn print(out: &mut Output<'_>, event: &AuditEvent) -> std::io::Result<()> {
    if out.is_json() {
        out.json(event)
    } else {
        out.cut_line(&as_line(event))
    }
}

/// Prints what the columns of the lines are called; programs need no names.
pub fn print_header(out: &mut Output<'_>) -> std::io::Result<()> {
    if out.is_json() {
        return Ok(());
    }
    out.cut_line(&columns(["TIME", "OUTCOME", "ACTION", "AGENT", "ADDRESS", "METADATA"]))
}

fn as_line(event: &AuditEvent) -> String {
    let AuditEvent {
        timestamp,
        outcome,
        action,
        metadata,
        ..
    } = event;
    let agent = or_dash(event.agent_id);
    let address = or_dash(event.ip_address.as_ref());
    columns([
        &timestamp.to_string(),
        &outcome.to_string(),
        action,
        &agent,
        &address,
        &metadata.to_string(),
    ])
}

fn columns([timestamp, outcome, action, agent, address, metadata]: [&str; 6]) -> String {
    format!("{timestamp:<24}  {outcome:<7}  {action:<22}  {agent:<36}  {address:<15}  {metadata}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::cli::client::output::Format;

    /// An event of the chain, by its place.
    pub fn event(sequence: u64) -> AuditEvent {
        serde_json::from_str(&format!(
            r#"{{"eventId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d","sequence":{sequence},
            "organizationId":"01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6e","agentId":null,"action":"auth.failed","outcome":"failure",
            "ipAddress":"10.0.0.1","userAgent":"curl\u001b[2J","metadata":{{"reason":"\u001b[2J"}},
            "timestamp":"2026-01-31T12:00:00.000Z","previousHash":"00","hash":"01"}}"#
        ))
        .expect("an event")
    }

    fn printed(format: Format) -> String {
        let mut bytes = Vec::new();
        print(&mut Output::new(&mut bytes, format), &event(7)).expect("a vector can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_line_has_what_people_look_for() {
        let text = printed(Format::Page { width: None });
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(
            words[..5],
            ["2026-01-31T12:00:00.000Z", "failure", "auth.failed", "-", "10.0.0.1"]
        );
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_line_is_cut_to_the_terminal_and_stands_under_its_header() {
        let text = printed(Format::Page { width: Some(60) });
        assert_eq!(text.trim_end().chars().count(), 60, "{text}");
        assert!(text.ends_with("…\n"), "{text}");
        let mut bytes = Vec::new();
        print_header(&mut Output::new(&mut bytes, Format::Page { width: None })).expect("a vector can be written to");
        let (header, line) = (
            String::from_utf8(bytes).expect("UTF-8"),
            printed(Format::Page { width: None }),
        );
        for (name, value) in [
            ("OUTCOME", "failure"),
            ("ACTION", "auth.failed"),
            ("ADDRESS", "10.0.0.1"),
        ] {
            assert_eq!(header.find(name), line.find(value), "{header}{line}");
        }
        let mut bytes = Vec::new();
        print_header(&mut Output::new(&mut bytes, Format::Json)).expect("a vector can be written to");
        assert!(bytes.is_empty());
    }

    #[test]
    fn json_is_the_event_with_its_metadata_untouched() {
        let text = printed(Format::Json);
        assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
        assert!(text.contains(r#""metadata":{"reason":"\u001b[2J"}"#), "{text}");
    }
}
