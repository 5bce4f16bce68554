//! Secrets by reference: the file names where they are, and they are read only by who needs them.

use std::{fmt, path::PathBuf};

use zeroize::Zeroizing;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    Env(String),
    File(PathBuf),
    /// Written in the file itself (bearer tokens only).
    Literal(Token),
}

/// A token that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub Zeroizing<String>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A secret that is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum NoSecret {
    #[error("the environment variable {0} is not set")]
    Env(String),
    #[error("the file {path} cannot be read: {error}")]
    File { path: String, error: std::io::Error },
}

impl Secret {
    pub fn literal(token: &str) -> Self {
        Self::Literal(Token(Zeroizing::new(token.to_owned())))
    }

    /// Reads it; white space around it is not part of it.
    pub fn read(&self) -> Result<Zeroizing<String>, NoSecret> {
        let text = match self {
            Self::Env(name) => std::env::var(name).ok().filter(|v| !v.trim().is_empty()).ok_or_else(|| NoSecret::Env(name.clone()))?,
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|error| NoSecret::File { path: path.display().to_string(), error })?
            }
            Self::Literal(token) => return Ok(token.0.clone()),
        };
        let text = Zeroizing::new(text);
        Ok(Zeroizing::new(text.trim().to_owned()))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Literal(_) => f.write_str("a token in the file"),
        }
    }
}
