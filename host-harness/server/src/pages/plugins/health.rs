//! Owns: how a channel did in the last hour, as numbers and small plots.
//! Does not own: counting (the engine).

use std::fmt::Write as _;

use harness_engine::{ChannelMinute, p95_us};
use maud::{Markup, html};

use crate::pages::{parts::number, reader::Reader, words::fill};

/// The plot's size in its own units.
const WIDTH: f64 = 120.0;
const FLOOR: f64 = 31.0;
const CEILING: f64 = 2.0;

/// A duration for people. Nothing is shown for none.
pub(super) fn duration(us: Option<u64>, reader: &Reader) -> String {
    let words = &reader.words.plugins;
    match us {
        None => "–".to_owned(),
        Some(us) if us >= 1_000_000 => {
            fill(&words.seconds, &[("n", &format!("{}.{}", us / 1_000_000, us % 1_000_000 / 100_000))])
        }
        Some(us) if us >= 10_000 => fill(&words.milliseconds, &[("n", &(us / 1000).to_string())]),
        Some(us) => fill(&words.milliseconds, &[("n", &format!("{}.{}", us / 1000, us % 1000 / 100))]),
    }
}

/// Calls, errors, times and, if it is counted, computing.
pub(super) fn tiles(hour: &[ChannelMinute], reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let sum = |of: fn(&ChannelMinute) -> u64| hour.iter().map(of).sum::<u64>();
    let (calls, failed) = (sum(|minute| u64::from(minute.calls)), sum(|minute| u64::from(minute.failed)));
    let instructions = sum(|minute| minute.instructions);
    let slowest = hour.iter().map(|minute| minute.slowest_us).max().filter(|us| *us > 0);
    let per_minute = |of: fn(&ChannelMinute) -> u64| hour.iter().map(of).collect::<Vec<u64>>();
    let times: Vec<u64> = hour.iter().map(|minute| p95_us([minute]).unwrap_or(0)).collect();
    let highest = |values: &[u64]| number(values.iter().copied().max().unwrap_or(0));
    let call_plot = per_minute(|minute| u64::from(minute.calls));
    let error_plot = per_minute(|minute| u64::from(minute.failed));
    html! {
        div.tiles {
            (tile(&words.calls, &number(calls), &fill(&words.calls_plot, &[("most", &highest(&call_plot))]), &call_plot, None))
            (tile(&words.errors, &fill(&words.errors_of, &[("n", &number(failed)), ("all", &number(calls))]),
                &fill(&words.errors_plot, &[("most", &highest(&error_plot))]), &error_plot, (failed > 0).then_some("fail")))
            (tile(&words.time, &duration(p95_us(hour), reader),
                &fill(&words.time_plot, &[("most", &duration(slowest, reader))]), &times, None))
            @if instructions > 0 {
                @let plot = per_minute(|minute| minute.instructions);
                (tile(&words.fuel, &number(instructions / calls.max(1)), &fill(&words.fuel_plot, &[("most", &highest(&plot))]), &plot, None))
            } @else {
                @let plot = per_minute(|minute| minute.slowest_us);
                (tile(&words.slowest, &duration(slowest, reader), &words.slowest_plot, &plot, None))
            }
        }
    }
}

fn tile(title: &str, value: &str, described: &str, values: &[u64], tone: Option<&str>) -> Markup {
    html! {
        div {
            p.small.muted { (title) }
            strong.num { (value) }
            svg.plot viewBox="0 0 120 32" preserveAspectRatio="none" fill="none" stroke="currentColor" stroke-width="1.5"
                role="img" aria-label=(described) data-tone=[tone] {
                path d="M0 31.5H120" opacity=".3" {}
                path d=(line(values)) vector-effect="non-scaling-stroke" {}
            }
        }
    }
}

/// The values as a line from left to right; the highest reaches the ceiling.
#[allow(clippy::cast_precision_loss, reason = "a plot of 120 units needs no exact numbers")]
fn line(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    let mut path = String::new();
    for (at, value) in values.iter().enumerate() {
        let (x, y) = (at as f64 * step, FLOOR - (*value as f64 / most) * (FLOOR - CEILING));
        let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_edge_to_edge_and_stays_inside() {
        assert_eq!(line(&[0, 5, 10]), "M0.0 31.0L60.0 16.5L120.0 2.0");
        assert_eq!(line(&[0, 0]), "M0.0 31.0L120.0 31.0");
        assert_eq!(line(&[]), "");
    }
}
