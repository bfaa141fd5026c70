//! One writer at a time: a file that names the process that holds a folder.
//!
//! A process is known by its number and the moment it started, so that a number used again is nobody; a machine
//! by its name and its boot. The lock of a dead process, or of this machine before it was started again, is
//! taken over; that of another machine is not, because from here nobody can say whether it lives. Nor can it of
//! another container on this machine: they share a boot and not their processes, but each has a name.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::text::{escape, escape_path};
use sim_core::digest::hash_text;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const NAME: &str = ".lock";

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    held: String,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    pid: u32,
    started: String,
    host: String,
    boot: String,
}

impl Holder {
    fn me() -> Self {
        let pid = std::process::id();
        let system = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        Holder {
            pid,
            started: started(pid).unwrap_or_default(),
            host: system("hostname").trim().into(),
            boot: system("random/boot_id").trim().into(),
        }
    }

    fn write(&self) -> String {
        format!("pid {}\nstarted {}\nhost {}\nboot {}\n", self.pid, self.started, self.host, self.boot)
    }

    fn read(text: &str) -> Option<Self> {
        let of = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_string())
        };
        Some(Holder {
            pid: of("pid")?.parse().ok()?,
            started: of("started")?,
            host: of("host")?,
            boot: of("boot")?,
        })
    }

    /// It as a part of a name of a file.
    fn sign(&self) -> String {
        let [host, boot] = [&self.host, &self.boot].map(|text| hash_text(text) as u32);
        format!("{}-{}-{host:08x}-{boot:08x}", self.pid, self.started)
    }

    /// Whether it still holds, as far as `here` can know.
    fn lives(&self, here: &Holder) -> bool {
        match (self.boot == here.boot, self.host == here.host) {
            (true, true) => {
                started(self.pid).is_none_or(|started| started == self.started) && process_exists(self.pid)
            }
            (false, true) => false,
            (_, false) => true,
        }
    }
}

/// What this process signs half files with where nobody holds the folder.
pub fn signature() -> String {
    Holder::me().sign()
}

/// Whether whoever signed so was a process of this machine, and is no more.
pub fn is_gone(signature: &str) -> bool {
    let parts: Vec<&str> = signature.split('-').collect();
    let [pid, started, host, boot] = parts[..] else { return false };
    let Ok(pid) = pid.parse() else { return false };
    let me = Holder::me();
    let mine = me.sign();
    let same = |part: &str, at: usize| mine.split('-').nth(at) == Some(part);
    let or_another = |same: bool, mine: &str| if same { mine.to_owned() } else { String::from("another") };
    let holder = Holder {
        pid,
        started: started.into(),
        host: or_another(same(host, 2), &me.host),
        boot: or_another(same(boot, 3), &me.boot),
    };
    !holder.lives(&me)
}

/// When a process started, in ticks of the system; nothing where there is no /proc, or no such process.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which may hold anything, the 20th field.
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(String::from)
}

/// Where there is no /proc, every process is taken to be alive.
fn process_exists(pid: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{pid}")).exists()
}

impl Lock {
    /// Holds a folder, and says whose lock was taken over, if one was.
    pub fn take(disk: &Disk, folder: &Path) -> Result<(Lock, Option<String>)> {
        let path = folder.join(NAME);
        let me = Holder::me();
        let mut note = None;
        for attempt in 0..16 {
            match disk.open_new(&path) {
                Ok(mut file) => {
                    let held = me.write();
                    file.write_all(held.as_bytes()).map_err(|cause| {
                        let _ = fs::remove_file(&path);
                        Error::file("cannot write", &path, cause)
                    })?;
                    return Ok((Lock { path, held }, note));
                }
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(Error::file("cannot write", &path, cause)),
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let holder = Holder::read(&text);
            if let Some(holder) = holder.as_ref().filter(|holder| holder.lives(&me)) {
                return Err(refused(folder, &path, holder, &me));
            }
            // A lock that is being written has no words yet: it gets a moment.
            if holder.is_none() && attempt < 8 {
                std::thread::sleep(std::time::Duration::from_millis(20));
                continue;
            }
            let aside = folder.join(format!("{NAME}.{}", me.pid));
            if disk.rename(&path, &aside).is_ok() {
                let taken = fs::read_to_string(&aside).unwrap_or_default();
                if taken == text {
                    let _ = fs::remove_file(&aside);
                    let who = holder.map_or("a process that left no name".into(), |holder| {
                        format!("process {}", holder.pid)
                    });
                    note = Some(format!(
                        "note: {who} was stopped while it wrote {}: its lock is taken over",
                        escape_path(folder)
                    ));
                } else {
                    // Somebody was faster, and it was their lock.
                    let _ = disk.rename(&aside, &path);
                }
            }
        }
        Err(Error::file("cannot lock", folder, std::io::Error::other("others keep taking the lock")))
    }
}

fn refused(folder: &Path, lock: &Path, holder: &Holder, me: &Holder) -> Error {
    let (folder, lock) = (escape_path(folder), escape_path(lock));
    let elsewhere = (&holder.boot, &holder.host) != (&me.boot, &me.host);
    let place = if elsewhere { format!(" on {}", escape(&holder.host)) } else { String::new() };
    let help = match elsewhere {
        true => format!("  if it is no longer there, remove {lock}"),
        false => "  wait for it, or choose another folder".to_string(),
    };
    let cause = std::io::Error::other(format!("process {}{place} is writing it\n{help}", holder.pid));
    Error::Io(format!("cannot write to {folder}"), cause)
}

impl Drop for Lock {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.held) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("brownout-lock-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_signature_tells_who_is_gone() {
        let me = Holder::me();
        assert!(!is_gone(&signature()), "it is me");
        assert!(is_gone(&Holder { started: "1".into(), ..me.clone() }.sign()), "its number is mine now");
        assert!(is_gone(&Holder { pid: 4_194_304 + 7, ..me.clone() }.sign()));
        assert!(
            is_gone(&Holder { boot: "before".into(), ..me.clone() }.sign()),
            "before the machine started"
        );
        assert!(!is_gone(&Holder { pid: 4_194_304 + 7, host: "node-7".into(), ..me }.sign()), "nobody knows");
        assert!(!is_gone("1") && !is_gone("x-1-0-0") && !is_gone(""));
    }

    #[test]
    fn a_second_writer_is_refused_by_number() {
        let folder = folder("second");
        let (lock, note) = Lock::take(&Disk::default(), &folder).unwrap();
        assert_eq!(note, None);
        let error = Lock::take(&Disk::default(), &folder).unwrap_err().to_string();
        assert!(error.contains(&format!("process {} is writing it", std::process::id())), "{error}");
        drop(lock);
        drop(Lock::take(&Disk::default(), &folder).unwrap());
        assert!(!folder.join(NAME).exists());
        fs::remove_dir(folder).unwrap();
    }

    #[test]
    fn the_dead_are_taken_over_and_other_machines_are_not() {
        let folder = folder("dead");
        let me = Holder::me();
        for (holder, taken) in [
            (Holder { started: "1".into(), ..me.clone() }, true),
            (Holder { pid: 4_194_304 + 7, ..me.clone() }, true),
            (Holder { boot: "before".into(), ..me.clone() }, true),
            (Holder { boot: "other".into(), host: "node-7".into(), ..me.clone() }, false),
            // Another container: its processes are not to be seen from here.
            (Holder { pid: 4_194_304 + 7, host: "node-7".into(), ..me.clone() }, false),
        ] {
            fs::write(folder.join(NAME), holder.write()).unwrap();
            match Lock::take(&Disk::default(), &folder) {
                Ok((_lock, note)) => assert!(taken && note.unwrap().contains("taken over"), "{holder:?}"),
                Err(error) => {
                    assert!(!taken && error.to_string().contains("on node-7"), "{holder:?}: {error}")
                }
            }
        }
        fs::write(folder.join(NAME), "").unwrap();
        assert!(Lock::take(&Disk::default(), &folder).unwrap().1.unwrap().contains("left no name"));
        fs::remove_dir_all(folder).unwrap();
    }
}
