//! Ways in processes of their own, and what each takes.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use cpu_time::ProcessTime;

/// What a way took, from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// In seconds.
    pub(crate) wall: f64,
    /// Of the processors, in all threads and in the system, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that was resident, in MiB.
    pub(crate) memory: f64,
}

impl Taken {
    /// Runs a way here, and prints what it took for [`of`](Self::of).
    pub(crate) fn print(way: impl FnOnce()) {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        way();
        let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
        println!("taken {} {} {}", wall.as_secs_f64(), cpu.as_secs_f64(), peak_mib());
    }

    /// Runs a program that prints what a way of it took.
    pub(crate) fn of(mut command: Command) -> Result<Self, String> {
        let output = command.output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers = text.lines().find_map(|line| line.strip_prefix("taken "));
        let numbers = numbers.map(|line| line.split(' ').filter_map(|number| number.parse().ok()).collect());
        match numbers.unwrap_or_else(Vec::new)[..] {
            [wall, cpu, memory] if output.status.success() => Ok(Self { wall, cpu, memory }),
            _ => Err(format!("{}{text}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// The best of both in each point: what slows a turn down is not the way's.
    pub(crate) fn best(self, other: Self) -> Self {
        let memory = self.memory.max(other.memory);
        Self { wall: self.wall.min(other.wall), cpu: self.cpu.min(other.cpu), memory }
    }
}

/// A program that serves until it is dropped, and prints where in its first line.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may be gone already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
