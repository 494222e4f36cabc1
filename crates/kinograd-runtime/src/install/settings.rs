//! What pip is configured with: its variables and files.

use std::path::{Path, PathBuf};

/// Settings that a download follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PipSettings {
    /// Package indexes, in order.
    pub indexes: Vec<String>,
    /// Certificates of authorities, PEM.
    pub cert: Option<PathBuf>,
    /// Proxy of all requests.
    pub proxy: Option<String>,
}

/// Longest file of settings that is read.
const MOST_BYTES: u64 = 1 << 20;

impl PipSettings {
    /// Those of the user: variables win over files, and files in the order of pip's documentation.
    pub fn of_user() -> Self {
        let mut settings = Self::default();
        let named = std::env::var_os("PIP_CONFIG_FILE").map(PathBuf::from);
        // `/dev/null` (`os.devnull`) switches all files off.
        let is_off = named
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "/dev/null" || path.as_os_str() == "nul");
        if !is_off {
            let files = files().into_iter().chain(named);
            let mut lines = Vec::new();
            for path in files {
                lines.extend(read(&path).iter().flat_map(|text| parsed(text)));
            }
            settings.take(&lines);
        }
        let of_env = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        let mut lines = Vec::new();
        for key in ["index-url", "extra-index-url", "cert", "proxy", "no-index"] {
            let name = format!("PIP_{}", key.replace('-', "_").to_uppercase());
            lines.extend(of_env(&name).map(|value| (key.to_owned(), value)));
        }
        settings.take(&lines);
        if settings.cert.is_none() {
            let other = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];
            settings.cert = other.iter().find_map(|name| of_env(name)).map(Into::into);
        }
        settings
    }

    /// Later lines win.
    fn take(&mut self, lines: &[(String, String)]) {
        let last = |wanted: &str| {
            let found = lines.iter().rfind(|(key, _)| key == wanted);
            found.map(|(_, value)| value.trim().to_owned())
        };
        if let Some(url) = last("index-url") {
            self.indexes.splice(..self.indexes.len().min(1), [url]);
        }
        if let Some(urls) = last("extra-index-url") {
            self.indexes.truncate(1);
            self.indexes
                .extend(urls.split_whitespace().map(str::to_owned));
        }
        if last("no-index").is_some_and(|v| !matches!(v.as_str(), "0" | "false" | "no" | "off")) {
            self.indexes.clear();
        }
        self.cert = last("cert").map(PathBuf::from).or(self.cert.take());
        self.proxy = last("proxy").or(self.proxy.take());
    }
}

/// Files of settings, the most general first.
fn files() -> Vec<PathBuf> {
    let name = if cfg!(windows) { "pip.ini" } else { "pip.conf" };
    let mut files = Vec::new();
    if cfg!(windows) {
        files.extend(std::env::var_os("ProgramData").map(|folder| Path::new(&folder).join("pip")));
    } else {
        files.push("/etc/xdg/pip".into());
        files.push("/etc".into());
    }
    let home = dirs::home_dir();
    files.extend(home.map(|home| home.join(if cfg!(windows) { "pip" } else { ".pip" })));
    files.extend(dirs::config_dir().map(|folder| folder.join("pip")));
    files.extend(std::env::var_os("VIRTUAL_ENV").map(PathBuf::from));
    files.into_iter().map(|folder| folder.join(name)).collect()
}

fn read(path: &Path) -> Option<String> {
    let file = kinograd_files::open(path).ok()?;
    let mut text = String::new();
    let mut limited = std::io::Read::take(file, MOST_BYTES);
    std::io::Read::read_to_string(&mut limited, &mut text).ok()?;
    Some(text)
}

/// Keys and values of the sections that concern downloads. A value may go on in indented lines.
fn parsed(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut concerns = false;
    let mut goes_on = false;
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = content
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            concerns = matches!(section.trim(), "global" | "download");
            goes_on = false;
        } else if line.starts_with([' ', '\t']) && goes_on {
            if let Some((_, value)) = pairs.last_mut() {
                value.push(' ');
                value.push_str(content);
            }
        } else if let Some((key, value)) = content.split_once(['=', ':']) {
            goes_on = concerns;
            if concerns {
                let key = key.trim().to_lowercase().replace('_', "-");
                pairs.push((key, value.trim().to_owned()));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_variables_are_read_as_pip_does() {
        let text = "# of the firm\n[global]\nindex-url = https://a.invalid/simple\n\
                    extra-index-url =\n    https://b.invalid/simple\n    https://c.invalid/simple\n\
                    cert: /etc/ca.pem\n[list]\nindex-url = https://other.invalid\n";
        let mut settings = PipSettings::default();
        settings.take(&parsed(text));
        let urls = |settings: &PipSettings| settings.indexes.join(" ");
        assert_eq!(
            urls(&settings),
            "https://a.invalid/simple https://b.invalid/simple https://c.invalid/simple"
        );
        assert_eq!(settings.cert, Some("/etc/ca.pem".into()));
        settings.take(&[("index-url".into(), "https://d.invalid/simple".into())]);
        assert!(urls(&settings).starts_with("https://d.invalid/simple https://b.invalid"));
        settings.take(&[("no-index".into(), "1".into())]);
        assert_eq!(urls(&settings), "");
    }
}
