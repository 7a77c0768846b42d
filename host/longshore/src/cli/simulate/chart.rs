//! How full each host is, as an SVG chart: a panel per driver, a curve per resource, hosts in rising order.
//!
//! Text written by hand: lines, axes with units, a legend with the means. Must not compute figures. Called by
//! `simulate::run`.

use std::fmt::Write as _;

use longshore_control::scheduler::simulate::Utilisation;

use super::{Run, Simulated};

/// Sizes in pixels.
const WIDTH: f64 = 900.0;
const PANEL: f64 = 330.0;
const TITLE: f64 = 56.0;
/// The plot within its panel.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 220.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 52.0;
/// Most steps of a curve: more cannot be seen.
const STEPS_MAX: usize = 400;
/// Lines across are so many percent apart: the first that makes few enough.
const SPACINGS: [f64; 8] = [20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0, 100_000.0];
const LINES_MAX: f64 = 7.0;

const STYLE: &str = "text{font-family:sans-serif;font-size:12px;fill:#333}\
    .title{font-size:16px;font-weight:bold}.panel{font-size:13px;font-weight:bold}\
    .grid{stroke:#ddd}.axis{stroke:#333}.full{stroke:#999;stroke-dasharray:4 3}\
    .curve{fill:none;stroke-width:1.8}";

pub(super) fn svg(simulated: &Simulated) -> String {
    let height = TITLE + PANEL * simulated.runs.len() as f64;
    let (hosts, requests) = (simulated.fleet.hosts().len(), simulated.requests.len());
    let title = format!("How full {hosts} hosts get by {requests} requests");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    text(&mut out, (LEFT, 26.0), "class=\"title\"", &title);
    let under = "when the fleet is fullest; each curve has the hosts in its own rising order";
    text(&mut out, (LEFT, 44.0), "", under);
    let scale = scale(simulated);
    for (at, run) in simulated.runs.iter().enumerate() {
        panel(&mut out, run, TITLE + PANEL * at as f64, (hosts, scale));
    }
    out.push_str("</svg>\n");
    out
}

/// The same scale for all panels, up to 100 % at least: the space between two lines, and the top.
fn scale(simulated: &Simulated) -> (f64, f64) {
    let all = simulated.runs.iter().flat_map(resources);
    let max = all.map(|(_, _, of)| of.hosts.max).fold(100.0, f64::max);
    let mut fitting = SPACINGS
        .into_iter()
        .filter(|spacing| max / spacing <= LINES_MAX);
    let spacing = fitting.next().unwrap_or(max);
    (spacing, (max / spacing).ceil() * spacing)
}

/// Name, colour and figures of each curve.
fn resources(run: &Run) -> [(&'static str, &'static str, &Utilisation); 3] {
    let figures = &run.outcome.figures;
    [
        ("vCPU", "#1f77b4", &figures.vcpus),
        ("memory", "#d62728", &figures.memory),
        ("disk", "#2ca02c", &figures.disk),
    ]
}

/// Where the plot of a panel is.
struct Plot {
    top: f64,
    bottom: f64,
    right: f64,
    hosts: usize,
    spacing: f64,
    percent_max: f64,
}

impl Plot {
    fn x(&self, host: usize) -> f64 {
        LEFT + (self.right - LEFT) * host as f64 / self.hosts.max(1) as f64
    }

    fn y(&self, percent: f64) -> f64 {
        self.bottom
            - (self.bottom - self.top) * percent.clamp(0.0, self.percent_max) / self.percent_max
    }
}

fn panel(out: &mut String, run: &Run, offset: f64, hosts_and_scale: (usize, (f64, f64))) {
    let (hosts, (spacing, percent_max)) = hosts_and_scale;
    let plot = Plot {
        top: offset + TOP,
        bottom: offset + PANEL - BOTTOM,
        right: WIDTH - RIGHT,
        hosts,
        spacing,
        percent_max,
    };
    text(
        out,
        (LEFT, offset + 20.0),
        "class=\"panel\"",
        &run.outcome.driver,
    );
    axes(out, &plot);
    for (at, (name, colour, of)) in resources(run).into_iter().enumerate() {
        curve(out, &plot, colour, &of.sorted);
        let y = plot.top + 10.0 + 22.0 * at as f64;
        let (from, to) = (plot.right + 16.0, plot.right + 40.0);
        line(
            out,
            (from, y),
            (to, y),
            &format!("class=\"curve\" stroke=\"{colour}\""),
        );
        let label = format!("{name}, mean {:.1} %", of.hosts.mean);
        text(out, (to + 6.0, y + 4.0), "", &label);
    }
}

fn axes(out: &mut String, plot: &Plot) {
    let lines = (plot.percent_max / plot.spacing).round() as usize;
    for step in 0..=lines {
        let percent = plot.spacing * step as f64;
        let y = plot.y(percent);
        line(out, (LEFT, y), (plot.right, y), "class=\"grid\"");
        let label = format!("{percent:.0}");
        text(out, (LEFT - 8.0, y + 4.0), "text-anchor=\"end\"", &label);
    }
    if plot.percent_max > 100.0 {
        let y = plot.y(100.0);
        line(out, (LEFT, y), (plot.right, y), "class=\"full\"");
    }
    let mut ticks: Vec<usize> = (0..=4).map(|n| plot.hosts * n / 4).collect();
    ticks.dedup();
    for host in ticks {
        let x = plot.x(host);
        line(
            out,
            (x, plot.bottom),
            (x, plot.bottom + 5.0),
            "class=\"axis\"",
        );
        let at = (x, plot.bottom + 19.0);
        text(out, at, "text-anchor=\"middle\"", &host.to_string());
    }
    line(
        out,
        (LEFT, plot.bottom),
        (plot.right, plot.bottom),
        "class=\"axis\"",
    );
    line(out, (LEFT, plot.top), (LEFT, plot.bottom), "class=\"axis\"");
    let (middle, under) = ((LEFT + plot.right) / 2.0, plot.bottom + 38.0);
    text(
        out,
        (middle, under),
        "text-anchor=\"middle\"",
        "hosts, emptiest first",
    );
    let middle = (plot.top + plot.bottom) / 2.0;
    let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 20 {middle})\"");
    text(
        out,
        (20.0, middle),
        &turned,
        "used, % of what may be promised",
    );
}

/// A step per host, or per group of hosts, of which the fullest counts.
fn curve(out: &mut String, plot: &Plot, colour: &str, sorted: &[f64]) {
    let steps = sorted.len().min(STEPS_MAX);
    let mut path = String::new();
    for step in 0..steps {
        let (from, to) = (
            sorted.len() * step / steps,
            sorted.len() * (step + 1) / steps,
        );
        let y = plot.y(sorted[to - 1]);
        let start = if step == 0 { 'M' } else { 'L' };
        // Nobody reads a String's write error: there is none.
        let _ = write!(path, "{start}{:.1} {y:.1}H{:.1}", plot.x(from), plot.x(to));
    }
    let _ = writeln!(
        out,
        "<path class=\"curve\" stroke=\"{colour}\" d=\"{path}\"/>"
    );
}

fn line(out: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), how: &str) {
    let _ = writeln!(
        out,
        "<line {how} x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn text(out: &mut String, (x, y): (f64, f64), how: &str, text: &str) {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(out, "<text {how} x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}
