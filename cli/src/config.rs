//! The configuration: which operators the user knows, and which of their clusters is meant where none is named. It holds no secrets.

use crate::failure::{Exit, Failure, Result};
use crate::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The operator that is meant where none is named: the last one that was logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    #[serde(default)]
    pub operators: BTreeMap<String, Operator>,
}

/// Somebody's Groundwork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The API's address.
    pub url: String,
    /// The cluster that is meant where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The role that `groundwork onboard` saw work last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

impl Config {
    pub fn path() -> Result<PathBuf> {
        Ok(files::directory()?.join("config.toml"))
    }

    /// # Errors
    /// Says where the file is broken.
    pub fn read() -> Result<Self> {
        let path = Self::path()?;
        let text = files::read(&path)?.unwrap_or_default();
        toml::from_str(&text).map_err(|error| {
            Failure::new(Exit::Failed, format!("The configuration {} is broken.", path.display()))
                .because(error.to_string().trim_end())
                .next(format!("Mend it, or remove it and log in again: rm {}", path.display()))
        })
    }

    pub fn write(&self) -> Result<()> {
        let text =
            toml::to_string(self).map_err(|error| Failure::new(Exit::Failed, "The configuration cannot be written.").because(error))?;
        files::write(&Self::path()?, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let acme = Operator { url: "https://acme.example".into(), cluster: Some("research".into()), role_arn: None };
        let config = Config { operator: Some("acme".into()), operators: [("acme".into(), acme)].into() };
        let text = toml::to_string(&config).expect("TOML");
        assert_eq!(toml::from_str::<Config>(&text).expect("as written"), config);
        assert_eq!(toml::from_str::<Config>("").expect("nothing yet"), Config::default());
        assert!(toml::from_str::<Config>("operater = 'acme'").is_err(), "a typo is not ignored");
    }
}
