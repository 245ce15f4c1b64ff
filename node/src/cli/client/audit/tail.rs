//! `agentidp audit tail`.

use std::time::Duration;

use clap::Args;
use sdk::{AgentId, AuditEvent, AuditFilter, Error, Outcome, Paging, Timestamp};

use super::event_line;
use super::follow::{CatchUp, Next};
use crate::cli::client::Run;
use crate::cli::client::exit::Exit;
use crate::cli::client::failure::Failure;
use crate::cli::client::session::Session;
use crate::cli::client::vocabulary;
use crate::cli::complaint::Complaint;

/// The most events of one answer.
const PAGE: u32 = 100;

/// Which events, and whether to go on.
#[derive(Args)]
pub struct Tail {
    /// How many of the latest events are printed.
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    lines: u32,
    /// Go on and print events as they come, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// How often to look for new events: a number with a unit, such as 500ms or 10s.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = interval)]
    interval: Duration,
    /// Only what this agent did or suffered.
    #[arg(long, value_name = "ID")]
    agent: Option<AgentId>,
    /// Only this action, such as token.issued.
    #[arg(long)]
    action: Option<String>,
    /// Only what ended so.
    #[arg(long, value_parser = vocabulary::outcome())]
    outcome: Option<Outcome>,
    /// Not before, such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Not after.
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    to: Option<Timestamp>,
}

impl Run for Tail {
    async fn run(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let filter = AuditFilter {
            agent_id: self.agent,
            action: self.action,
            outcome: self.outcome,
            from: self.from,
            to: self.to,
        };
        let latest = latest(session, &filter, self.lines).await?;
        let seen = latest.first().map_or(0, |event| event.sequence);
        event_line::print_header(&mut session.out)?;
        for event in latest.iter().take(self.lines as usize).rev() {
            event_line::print(&mut session.out, event)?;
        }
        if !self.follow {
            return Ok(Exit::Done);
        }
        tokio::select! {
            result = follow(session, &filter, seen, self.interval) => result,
            _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
        }
    }
}

/// The latest events, newest first; at least one if there is any, so that it is known where new ones begin.
async fn latest(session: &Session<'_>, filter: &AuditFilter, wanted: u32) -> Result<Vec<AuditEvent>, Error> {
    let wanted = wanted.max(1);
    let mut events = Vec::new();
    let mut paging = Paging::first(wanted.min(PAGE));
    loop {
        let page = session.client.audit().list(filter, paging).await?;
        events.extend(page.data);
        let missing = wanted.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        match page.next_cursor {
            Some(cursor) if missing > 0 => paging = Paging::after(cursor, missing.min(PAGE)),
            _ => return Ok(events),
        }
    }
}

/// Looks again and again. A server that is away for a while is waited for; nothing is lost by it.
async fn follow(
    session: &mut Session<'_>,
    filter: &AuditFilter,
    seen: u64,
    interval: Duration,
) -> Result<Exit, Failure> {
    let mut seen = seen;
    loop {
        tokio::time::sleep(interval).await;
        match new_events(session, filter, seen).await {
            Ok((events, newest)) => {
                seen = newest;
                for event in &events {
                    event_line::print(&mut session.out, event)?;
                }
            }
            Err(error) if error.is_transient() => {
                let complaint = Failure::from(error).at(session.client.issuer()).complaint();
                let hint = Some("looking again".to_owned());
                Complaint { hint, ..complaint }.tell(session.out.is_json());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn new_events(session: &Session<'_>, filter: &AuditFilter, seen: u64) -> Result<(Vec<AuditEvent>, u64), Error> {
    let mut catch_up = CatchUp::after(seen);
    let mut paging = Paging::first(PAGE);
    loop {
        match catch_up.on_page(session.client.audit().list(filter, paging).await?) {
            Next::Page(cursor) => paging = Paging::after(cursor, PAGE),
            Next::Complete => break,
            Next::LeftOut => {
                let sentence = "more happened than can be shown at once; what is older was left out";
                Complaint::new("LEFT_OUT", sentence).tell(session.out.is_json());
                break;
            }
        }
    }
    Ok(catch_up.finish())
}

/// Not so short that looking becomes an attack.
fn interval(text: &str) -> Result<Duration, String> {
    let duration = vocabulary::duration(text)?;
    let allowed = Duration::from_millis(200)..=Duration::from_secs(3600);
    if allowed.contains(&duration) {
        Ok(duration)
    } else {
        Err("must be between 200ms and 1h".to_owned())
    }
}
