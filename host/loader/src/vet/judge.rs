//! From what the guardian saw to a verdict: codes and texts, and nothing that starts or reads anything.

use std::io;

use super::Options;
use super::protocol::{Answer, End, Report};
use super::verdict::{Verdict, Warning};
use crate::codes;
use crate::diagnostic::escape;
use crate::process::signals;

/// Longest line of output that a message quotes, in characters.
const LINE_CHARS_MAX: usize = 200;
/// Most changes that one message lists.
const CHANGES_MAX: usize = 12;

const TELL_AUTHOR: &str = "do not use it; report this to the plugin's author";

/// The verdict on what was seen.
pub(super) fn judge(report: &Report, options: &Options) -> Verdict {
    let mut verdict = match &report.end {
        End::Answered(answer) => answered(answer, report),
        other => ended(other, report, options),
    };
    verdict.output.clone_from(&report.output);
    verdict
}

/// The verdict when no child was started, or nobody told of it.
pub(super) fn not_tried(error: &io::Error) -> Verdict {
    let why = format!("it could not be tried: {}", escape(&error.to_string()));
    let help = "mend what the system says, or set `vet = \"never\"` if you trust the file";
    let verdict = Verdict::failed(codes::PLUGIN_CANNOT_VET, why, help);
    Verdict {
        lasting: false,
        ..verdict
    }
}

fn answered(answer: &Answer, report: &Report) -> Verdict {
    let mut verdict = if let Some(refused) = &answer.refused {
        let verdict = Verdict::failed(&refused.code, escape(&refused.why), &escape(&refused.help));
        // A library may be installed, a file made readable.
        let lasting = !matches!(
            refused.code.as_str(),
            codes::PLUGIN_REFUSED_BY_LOADER | codes::PLUGIN_UNREADABLE
        );
        Verdict { lasting, ..verdict }
    } else if report.strays_count > 0 {
        left_processes(report)
    } else if !answer.changes.is_empty() {
        let why = format!("changed {}", list(&answer.changes));
        let help = "leave these to the host: the whole process shares them";
        Verdict::failed(codes::PLUGIN_CHANGES_PROCESS, why, help)
    } else {
        Verdict::passed()
    };
    verdict.driver_error.clone_from(&answer.driver_error);
    if !answer.early_threads.is_empty() {
        let (count, names) = (answer.early_threads.len(), list(&answer.early_threads));
        let text = format!(
            "{} before anything was called: {names}",
            counted(count, "thread", "threads")
        );
        verdict
            .warnings
            .push(warning(codes::PLUGIN_EARLY_THREADS, text));
    }
    if !answer.leaks.is_empty() {
        let text = format!(
            "left open when the driver was gone: {}",
            list(&answer.leaks)
        );
        verdict.warnings.push(warning(codes::DRIVER_LEAKS, text));
    }
    verdict
}

fn warning(code: &str, text: String) -> Warning {
    let code = code.to_owned();
    Warning { code, text }
}

/// The child ended before it answered.
fn ended(end: &End, report: &Report, options: &Options) -> Verdict {
    let step = report.step.text();
    let (code, why) = match end {
        End::Signal(signals::SIGXCPU) => {
            let why = format!("used up its processor time while {step}");
            (codes::PLUGIN_HUNG_IN_VETTING, why)
        }
        End::Signal(number) => {
            let name = signals::name(*number);
            let why = format!("killed by signal {number} ({name}) while {step}");
            (codes::PLUGIN_CRASHED_IN_VETTING, why)
        }
        End::Exit(_) if report.strays_count > 0 => return left_processes(report),
        End::Exit(status) => {
            let why =
                format!("ended the process with status {status} while {step}, before answering");
            (codes::PLUGIN_EXITED_IN_VETTING, why)
        }
        End::Timeout => {
            let limit = duration(options.timeout_ms);
            let why = format!("no answer in {limit} while {step}");
            (codes::PLUGIN_HUNG_IN_VETTING, why)
        }
        End::Forged => {
            let why = format!("the answer was not genuine: something wrote into it while {step}");
            (codes::PLUGIN_CRASHED_IN_VETTING, why)
        }
        End::NotStarted(error) => return not_tried(&io::Error::other(error.clone())),
        End::Answered(_) => unreachable!("the caller has the answer"),
    };
    let mut why = why;
    if let Some(line) = last_line(&report.output) {
        why.push_str(&format!("; last output: `{line}`"));
    }
    if report.strays_count > 0 {
        why.push_str("; ");
        why.push_str(&strays(report));
    }
    Verdict::failed(code, why, TELL_AUTHOR)
}

fn left_processes(report: &Report) -> Verdict {
    let mut why = strays(report);
    if let End::Exit(status) = report.end {
        let step = report.step.text();
        why.push_str(&format!(
            "; ended the process with status {status} while {step}"
        ));
    }
    let help = "end them when the driver is dropped, or run them as a service of their own";
    Verdict::failed(codes::PLUGIN_LEFT_PROCESSES, why, help)
}

/// How many were left, and what they are called.
fn strays(report: &Report) -> String {
    let count = counted(report.strays_count, "process", "processes");
    let names: Vec<String> = report
        .strays
        .iter()
        .map(|name| format!("`{}`", escape(name)))
        .collect();
    let more = if report.strays_count > names.len() {
        " …"
    } else {
        ""
    };
    format!("left {count}: {}{more}; all were killed", names.join(", "))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn list(all: &[String]) -> String {
    let mut text = all
        .iter()
        .take(CHANGES_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if all.len() > CHANGES_MAX {
        text.push_str(&format!(" and {} more", all.len() - CHANGES_MAX));
    }
    text
}

fn duration(ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        format!("{} s", ms / 1_000)
    } else {
        format!("{ms} ms")
    }
}

/// What Rust prints last when it aborts, and tells nobody anything.
const NO_NEWS: &str = "note: run with `RUST_BACKTRACE";

/// The last line with something in it.
fn last_line(output: &str) -> Option<String> {
    let mut lines = output.lines().rev().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with(NO_NEWS))?;
    let short: String = line.chars().take(LINE_CHARS_MAX).collect();
    Some(escape(&short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vet::protocol::Step;
    use crate::vet::verdict::Outcome;

    fn report(end: End) -> Report {
        let (strays, output) = (Vec::new(), String::new());
        Report {
            end,
            step: Step::Loading,
            strays,
            strays_count: 0,
            output,
        }
    }

    fn code_and_why(report: &Report) -> (String, String) {
        let verdict = judge(report, &Options::default());
        (verdict.code, verdict.why)
    }

    #[test]
    fn each_end_has_its_code_and_its_words() {
        let rows = [
            (
                End::Signal(11),
                codes::PLUGIN_CRASHED_IN_VETTING,
                "killed by signal 11 (SIGSEGV) while loading",
            ),
            (
                End::Signal(24),
                codes::PLUGIN_HUNG_IN_VETTING,
                "used up its processor time while loading",
            ),
            (
                End::Exit(0),
                codes::PLUGIN_EXITED_IN_VETTING,
                "ended the process with status 0 while loading, before answering",
            ),
            (
                End::Timeout,
                codes::PLUGIN_HUNG_IN_VETTING,
                "no answer in 10 s while loading",
            ),
            (
                End::NotStarted("no memory".to_owned()),
                codes::PLUGIN_CANNOT_VET,
                "it could not be tried: no memory",
            ),
        ];
        for (end, code, why) in rows {
            assert_eq!(
                code_and_why(&report(end)),
                (code.to_owned(), why.to_owned())
            );
        }
    }

    #[test]
    fn what_was_printed_and_left_is_told_too() {
        let mut crashed = report(End::Signal(6));
        crashed.output = "one\n\u{1b}[31mtwo\n\n".to_owned();
        crashed.strays = vec!["sleep".to_owned()];
        crashed.strays_count = 9;
        let (_, why) = code_and_why(&crashed);
        let wanted =
            "; last output: `\\u{1b}[31mtwo`; left 9 processes: `sleep` …; all were killed";
        assert!(why.ends_with(wanted), "{why}");
    }

    #[test]
    fn warnings_refuse_only_where_they_must() {
        let answer = Answer {
            early_threads: vec!["`worker`".to_owned()],
            ..Answer::default()
        };
        let verdict = judge(&report(End::Answered(answer)), &Options::default());
        assert_eq!(verdict.outcome, Outcome::Passed);
        assert_eq!(
            verdict.warnings[0].text,
            "1 thread before anything was called: `worker`"
        );
        let strict = verdict.strictly();
        assert_eq!(
            (strict.outcome, strict.code.as_str()),
            (Outcome::Failed, codes::PLUGIN_EARLY_THREADS)
        );
    }
}
