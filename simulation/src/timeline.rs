//! A picture of a run, for people: one page that needs nothing else. Nodes are lanes, time goes to the right; who led in
//! which term, who was down or paused, which faults lasted when, and where a promise was broken; and what was sent in the
//! moments before.

mod closeup;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use cluster::Role;

use crate::run::Outcome;
use crate::world::Moved;

/// Sizes, in pixels.
const WIDTH: f64 = 1_400.0;
const LEFT: f64 = 175.0;
const LANE: f64 = 34.0;
const BAR: f64 = 18.0;
const TOP: f64 = 40.0;
/// How many broken promises are shown at first.
const SHOWN: usize = 6;
/// A bar that is at least so wide has its term written into it.
const ROOM_FOR_TERM: f64 = 52.0;
/// What begins farther right than this is written to the left of its place.
const LATE: f64 = WIDTH - 260.0;

/// Colours of terms, one after the other.
const TERMS: [&str; 6] = ["#2f6fab", "#3a9d6e", "#a8741a", "#7d55a8", "#b0505f", "#4a8f9c"];

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:24px;color:#222;background:#fff}\
    h1{font-size:20px}code,pre{font:12px ui-monospace,monospace;background:#f4f4f4;padding:2px 4px}\
    pre{padding:10px;overflow-x:auto;max-height:420px}.broken{color:#b00020}\
    svg text{font:12px system-ui,sans-serif;fill:#333}svg .small{font-size:10px;fill:#666}\
    svg .inside{font-size:10px;fill:#fff;pointer-events:none}.key{color:#666;font-size:12px}\
    @media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}code,pre{background:#262626}\
    svg text{fill:#ccc}svg .small{fill:#999}svg .inside{fill:#fff}.key{color:#999}.broken{color:#ff7a88}}";

/// What colours mean.
const KEY: &str = "<p class=\"key\">Nodes: dark where one leads, in another colour in each term; pale where it follows; yellow where it \
    is paused; nothing where it is down.</p>";
const CLOSEUP_KEY: &str = "<p class=\"key\">Messages: green from and to clients, blue between nodes, red and short if they are lost. \
    Point at one to read it.</p>";

/// The page of a run. `command` is what repeats it.
pub fn page(outcome: &Outcome, command: &str) -> String {
    let mut page = String::new();
    let verdict = if outcome.broken.is_empty() {
        "every promise held"
    } else {
        "a promise was broken"
    };
    let seconds = outcome.simulated.as_secs_f64();
    // Writing into a string can't fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>seed {seed}</title><style>{STYLE}</style>\
         <h1>Seed {seed}: {verdict}</h1><p>{nodes} nodes, {seconds:.1} simulated seconds, {calls} calls, {faults} \
         faults. Repeat it with <code>{command}</code></p>",
        seed = outcome.seed,
        nodes = outcome.plan.nodes,
        calls = outcome.history.entries.len(),
        faults = outcome.faults.len(),
        command = escaped(command),
    );
    page.push_str(&breaches(outcome));
    page.push_str(&drawing(outcome));
    page.push_str(KEY);
    if !outcome.closeup.lines.is_empty() {
        page.push_str("<h2>Around the first one</h2>");
        page.push_str(&closeup::drawing(outcome));
        page.push_str(CLOSEUP_KEY);
        page.push_str("<pre>");
        for (_, line) in &outcome.closeup.lines {
            page.push_str(&escaped(line));
        }
        page.push_str("</pre>");
    }
    page.push_str("</html>\n");
    page
}

/// What was broken: the first ones, and the others for whoever wants to see them.
fn breaches(outcome: &Outcome) -> String {
    let mut list = String::new();
    for (place, (invariant, violation)) in outcome.broken.iter().enumerate() {
        if place == SHOWN {
            let more = outcome.broken.len() - SHOWN;
            let _ = write!(list, "<details><summary class=\"broken\">and {more} more</summary>");
        }
        let _ = write!(
            list,
            "<p class=\"broken\"><b>{invariant}</b> at {}: {}</p>",
            violation.at,
            escaped(&violation.what)
        );
    }
    if outcome.broken.len() > SHOWN {
        list.push_str("</details>");
    }
    list
}

fn drawing(outcome: &Outcome) -> String {
    let scale = Scale {
        end: outcome.simulated.as_secs_f64().max(1.0),
    };
    let lanes = outcome.plan.nodes as usize + outcome.faults.len();
    let height = TOP + LANE * lanes as f64 + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" role=\"img\">"
    );
    scale.axis(&mut svg, height);
    for node in 1..=outcome.plan.nodes {
        lane_of_node(&mut svg, &scale, outcome, node);
    }
    for (place, fault) in outcome.faults.iter().enumerate() {
        let y = TOP + LANE * (outcome.plan.nodes as f64 + place as f64);
        let label = format!("{} {}", fault.number, fault.kind.name());
        text(&mut svg, 4.0, y + 13.0, &label, "");
        let title = format!("{label}: {}, {:?} to {:?}", fault.whom, fault.from, fault.until);
        scale.bar(&mut svg, (fault.from, fault.until), y, "#d98c2b", &title);
        let (from, until) = (scale.x(fault.from), scale.x(fault.until).max(LEFT));
        beside(&mut svg, (from - 6.0, until + 6.0), y + 13.0, &fault.whom, "small");
    }
    let mut named = BTreeSet::new();
    for (invariant, violation) in &outcome.broken {
        let x = scale.x(Duration::from_micros(violation.at.0));
        // What is broken over and over is named once, and faint after that.
        let is_first = named.insert(invariant);
        let opacity = if is_first { 1.0 } else { 0.25 };
        let _ = write!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height}\" stroke=\"#d0021b\" stroke-width=\"2\" \
             stroke-opacity=\"{opacity}\"><title>{invariant}: {}</title></line>",
            escaped(&violation.what)
        );
        if is_first {
            let y = TOP - 6.0 - 12.0 * (named.len() - 1).min(1) as f64;
            beside(&mut svg, (x - 4.0, x + 4.0), y, invariant, "");
        }
    }
    svg.push_str("</svg>");
    svg
}

/// When a node ran, and when it led.
fn lane_of_node(svg: &mut String, scale: &Scale, outcome: &Outcome, node: u64) {
    let y = TOP + LANE * (node - 1) as f64;
    text(svg, 4.0, y + 13.0, &format!("node {node}"), "");
    let end = outcome.simulated;
    let mut moves = outcome.moves.iter().filter(|(_, whose, _)| *whose == node).peekable();
    while let Some((at, _, moved)) = moves.next() {
        let until = moves.peek().map_or(end, |(next, ..)| *next);
        let (colour, title) = match moved {
            Moved::Down => continue,
            Moved::Started => ("#bbbbbb", "starting".to_owned()),
            Moved::Paused => ("#e6d36a", "paused".to_owned()),
            Moved::Became(Role::Leader, term) => (
                TERMS[usize::try_from(*term).unwrap_or_default() % TERMS.len()],
                format!("leads in term {term}"),
            ),
            Moved::Became(role, term) => ("#cfdbe6", format!("{role:?} in term {term}")),
        };
        scale.bar(
            svg,
            (*at, until),
            y,
            colour,
            &format!("node {node} {title}, {at:?} to {until:?}"),
        );
        if let Moved::Became(Role::Leader, term) = moved
            && scale.x(until) - scale.x(*at) >= ROOM_FOR_TERM
        {
            text(svg, scale.x(*at) + 6.0, y + 13.0, &format!("term {term}"), "inside");
        }
    }
}

struct Scale {
    end: f64,
}

impl Scale {
    fn x(&self, at: Duration) -> f64 {
        LEFT + (WIDTH - LEFT - 20.0) * (at.as_secs_f64() / self.end).min(1.0)
    }

    fn bar(&self, svg: &mut String, (from, until): (Duration, Duration), y: f64, colour: &str, title: &str) {
        let x = self.x(from);
        let width = (self.x(until) - x).max(1.0);
        let _ = write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\">\
             <title>{}</title></rect>",
            escaped(title)
        );
    }

    /// A line every ten seconds.
    fn axis(&self, svg: &mut String, height: f64) {
        let mut at = 0_u32;
        while f64::from(at) <= self.end {
            let x = self.x(Duration::from_secs(at.into()));
            let _ = write!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height}\" stroke=\"#8884\"/>"
            );
            text(svg, x - 8.0, 16.0, &format!("{at} s"), "small");
            at += 10;
        }
    }
}

/// To the right of something, or to its left where there is too little room: the places are where it begins and ends.
fn beside(svg: &mut String, (left, right): (f64, f64), y: f64, what: &str, class: &str) {
    if right < LATE {
        text(svg, right, y, what, class);
    } else {
        let _ = write!(
            svg,
            "<text x=\"{left:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"end\">{}</text>",
            escaped(what)
        );
    }
}

fn text(svg: &mut String, x: f64, y: f64, what: &str, class: &str) {
    let _ = write!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>",
        escaped(what)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
