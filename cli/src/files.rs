//! Files in the user's own directories: written whole or not at all, and where they hold secrets, for the user's eyes only.

use crate::failure::{Exit, Failure, Result};
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// `GROUNDWORK_CONFIG_DIR`, or the platform's directory, such as `~/.config/groundwork`.
///
/// # Errors
/// The machine does not say where the user's home is.
pub fn directory() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("GROUNDWORK_CONFIG_DIR").filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    let app = AppStrategyArgs { top_level_domain: "dev".into(), author: "Groundwork".into(), app_name: "groundwork".into() };
    let platform = choose_app_strategy(app).map_err(|error| {
        Failure::new(Exit::Failed, "There is no home directory to keep the configuration in.")
            .because(error)
            .next("Name a directory: export GROUNDWORK_CONFIG_DIR=…")
    })?;
    Ok(platform.config_dir())
}

/// None if there is no such file.
pub fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(Exit::Failed, format!("{} cannot be read.", path.display())).because(error)),
    }
}

/// As [`read`], and refuses what others than its owner can read.
pub fn read_secret(path: &Path) -> Result<Option<String>> {
    let Some(text) = read(path)? else { return Ok(None) };
    if others_can_read(path) {
        let path = path.display();
        return Err(Failure::new(Exit::Login, format!("Others can read {path}, which holds your login."))
            .next(format!("groundwork logout, and log in again; if nobody else has read it, chmod 600 {path}")));
    }
    Ok(Some(text))
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the user's profile is closed to others.
#[cfg(not(unix))]
fn others_can_read(_path: &Path) -> bool {
    false
}

/// Writes the whole file, or leaves it as it was. Only its owner can read it.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let written = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        // Readable by its owner only from the beginning, and then it takes the other's place at once.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| Failure::new(Exit::Failed, format!("{} cannot be written.", path.display())).because(error))
}

/// True if there was such a file.
pub fn remove(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(Exit::Failed, format!("{} cannot be removed.", path.display())).because(error)),
    }
}
