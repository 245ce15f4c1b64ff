//! The moments around a broken promise: every message as a line from lane to lane.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use super::{LANE, LEFT, TOP, WIDTH, escaped, text};
use crate::run::Outcome;
use crate::world::{Message, Place};

/// How far lanes are from each other, in pixels: there are lines between them.
const APART: f64 = 2.0 * LANE;
/// A line every so often.
const GRID: Duration = Duration::from_millis(100);
/// How long the stroke of a message is that never arrives, as a part of the way.
const LOST_AFTER: f64 = 0.35;

/// The drawing.
pub(super) fn drawing(outcome: &Outcome) -> String {
    let window = &outcome.closeup.window;
    let height = TOP + APART * outcome.plan.nodes as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" role=\"img\">"
    );
    grid(&mut svg, window, height);
    let places = std::iter::once(Place::Clients).chain((1..=outcome.plan.nodes).map(Place::Node));
    for place in places {
        let y = lane(place);
        text(&mut svg, 4.0, y + 4.0, &place.to_string(), "");
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\" stroke=\"#8888\"/>"
        );
    }
    for message in &outcome.closeup.messages {
        arrow(&mut svg, window, message);
    }
    for (invariant, violation) in &outcome.broken {
        let at = Duration::from_micros(violation.at.0);
        if window.contains(&at) {
            let x = x(window, at);
            let _ = write!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height}\" stroke=\"#d0021b\" stroke-width=\"2\">\
                 <title>{invariant}: {}</title></line>",
                escaped(&violation.what)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

fn arrow(svg: &mut String, window: &Range<Duration>, message: &Message) {
    let (from, to) = message.way;
    let (start, whole) = (lane(from), lane(to) - lane(from));
    // What was lost would have taken a while.
    let (arrives, end, colour) = match message.arrives {
        Some(arrives) => (arrives, start + whole, colour(from, to)),
        None => (
            message.sent + Duration::from_millis(2),
            start + whole * LOST_AFTER,
            "#d0021b",
        ),
    };
    let (left, right) = (x(window, message.sent), x(window, arrives));
    let fate = if message.arrives.is_some() { "" } else { ", lost" };
    let _ = write!(
        svg,
        "<line x1=\"{left:.1}\" y1=\"{start:.1}\" x2=\"{right:.1}\" y2=\"{end:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.65\">\
         <title>{from} to {to}: {}, {:?}{fate}</title></line>",
        escaped(&message.what),
        message.sent
    );
}

fn colour(from: Place, to: Place) -> &'static str {
    match (from, to) {
        (Place::Clients, _) | (_, Place::Clients) => "#3a9d6e",
        _ => "#2f6fab",
    }
}

fn lane(place: Place) -> f64 {
    let number = match place {
        Place::Clients => 0,
        Place::Node(node) => node,
    };
    TOP + APART * number as f64 + 10.0
}

fn x(window: &Range<Duration>, at: Duration) -> f64 {
    let length = (window.end - window.start).as_secs_f64().max(0.001);
    LEFT + (WIDTH - LEFT - 20.0) * (at.saturating_sub(window.start).as_secs_f64() / length).min(1.0)
}

fn grid(svg: &mut String, window: &Range<Duration>, height: f64) {
    let mut at = GRID * u32::try_from(window.start.as_millis() / GRID.as_millis() + 1).unwrap_or(u32::MAX);
    while at < window.end {
        let x = x(window, at);
        let _ = write!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height}\" stroke=\"#8883\"/>"
        );
        text(svg, x - 10.0, 16.0, &format!("{:.1}", at.as_secs_f64()), "small");
        at += GRID;
    }
}
