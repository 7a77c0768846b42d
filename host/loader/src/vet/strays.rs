//! Finds and ends the processes that a tried plugin leaves: as the descendants of the guardian, whose children all
//! orphans below it become, or by the mark in their environment when the guardian itself is gone.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    wait, waitpid,
};

/// The variable that guardian and child carry; its value is the directory of the vetting.
pub(super) const MARK: &str = "LONGSHORE_VETTING";
/// Most processes of the machine that are looked at.
const PROCESSES_MAX: usize = 100_000;
/// Longest time for ending what is left.
const ENDING_MAX: Duration = Duration::from_secs(3);
/// Most bytes of an environment that are searched for the mark.
const ENVIRON_BYTES_MAX: u64 = 1 << 20;

/// A process, as `/proc/PID/stat` has it.
struct Process {
    pid: i32,
    parent: i32,
    name: String,
    is_zombie: bool,
}

/// Names of all living descendants of this process but `except`, which is a child of it.
pub(super) fn descendants(except: i32) -> Vec<String> {
    let all = processes();
    let mut family = vec![getpid().as_raw_pid()];
    let mut names = Vec::new();
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        for process in all
            .iter()
            .filter(|p| p.parent == parent && !family.contains(&p.pid))
            .collect::<Vec<_>>()
        {
            family.push(process.pid);
            if process.pid != except && !process.is_zombie {
                names.push(process.name.clone());
            }
        }
        next += 1;
    }
    names
}

/// Kills every child of this process, and those that become its children by that, until there is none. Answers whether
/// that was reached in time.
///
/// A child that was not waited for keeps its number, so no other process can be hit.
pub(super) fn end_all() -> bool {
    let begun = Instant::now();
    while begun.elapsed() < ENDING_MAX {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => continue,
            Ok(None) => {}
            Err(_) => return true,
        }
        let me = getpid().as_raw_pid();
        let children = processes().into_iter().filter(|p| p.parent == me);
        let children: Vec<Pid> = children.filter_map(|p| Pid::from_raw(p.pid)).collect();
        for child in &children {
            // It may be a zombie by now; the wait below takes it.
            let _ = kill_process(*child, Signal::KILL);
        }
        for child in children {
            let _ = waitpid(Some(child), WaitOptions::empty());
        }
    }
    false
}

/// Kills every process that carries the mark of this directory, or works in it. For the case that its guardian is gone.
pub(super) fn end_marked(dir: &Path) -> usize {
    let me = getpid().as_raw_pid();
    let marked = processes()
        .into_iter()
        .filter(|p| p.pid != me && is_marked(p.pid, dir));
    marked
        .filter(|p| end_one_marked(p.pid, dir).is_some())
        .count()
}

/// Through a descriptor, so that a number which was given to another process meanwhile hits nobody.
fn end_one_marked(number: i32, dir: &Path) -> Option<()> {
    let process = pidfd_open(Pid::from_raw(number)?, PidfdFlags::empty()).ok()?;
    if !is_marked(number, dir) {
        return None;
    }
    pidfd_send_signal(&process, Signal::KILL).ok()
}

fn is_marked(number: i32, dir: &Path) -> bool {
    if fs::read_link(format!("/proc/{number}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir)) {
        return true;
    }
    let Ok(file) = fs::File::open(format!("/proc/{number}/environ")) else {
        return false;
    };
    let mut environ = Vec::new();
    let read = std::io::Read::read_to_end(
        &mut std::io::Read::take(file, ENVIRON_BYTES_MAX),
        &mut environ,
    );
    let wanted = [MARK.as_bytes(), b"=", dir.as_os_str().as_bytes()].concat();
    read.is_ok()
        && environ
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted)
}

/// When a process was started, in ticks since the machine was; none if there is no such process.
pub(super) fn started(number: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let (_, after) = text.rsplit_once(')')?;
    after.split_whitespace().nth(19)?.parse().ok()
}

fn processes() -> Vec<Process> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = all
        .take(PROCESSES_MAX)
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(process).collect()
}

fn process(pid: i32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold anything, brackets and spaces too.
    let (start, after) = stat.rsplit_once(')')?;
    let (_, name) = start.split_once('(')?;
    let mut words = after.split_whitespace();
    let is_zombie = matches!(words.next()?, "Z" | "X");
    let parent = words.next()?.parse().ok()?;
    let name = name.to_owned();
    Some(Process {
        pid,
        parent,
        name,
        is_zombie,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_start() {
        let me = std::process::id();
        let stat = process(i32::try_from(me).unwrap()).unwrap();
        assert!(!stat.is_zombie && stat.parent > 0 && !stat.name.is_empty());
        assert!(started(me).is_some());
        assert_eq!(started(0), None);
    }
}
