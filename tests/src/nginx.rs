//! A real reverse proxy: Debian's nginx. Belongs here: starting and ending it.

use std::{fs, net::TcpListener, process::Stdio};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::eventually;

/// It ends when it is dropped.
pub struct Nginx {
    /// `http://127.0.0.1:…`
    pub address: String,
    _child: Child,
    _folder: TempDir,
}

impl Nginx {
    /// The shortest configuration that its manual shows: one `proxy_pass`.
    pub async fn before(upstream: &str) -> Self {
        // Somebody else may take the free port first.
        for _ in 0..5 {
            if let Some(nginx) = Self::start(upstream).await {
                return nginx;
            }
        }
        panic!("nginx does not start")
    }

    async fn start(upstream: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = folder.path().display();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places: String = kinds.iter().map(|kind| format!("{kind}_temp_path {place}/{kind};\n")).collect();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\naccess_log off;\n{places}\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut child = Command::new("/usr/sbin/nginx")
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("nginx starts: `.ci/setup` installs it (Debian: nginx-light)");
        let listens = eventually("nginx", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok().then_some(true)
        });
        tokio::select! {
            _ = child.wait() => return None,
            _ = listens => {}
        }
        let ended = child.try_wait().unwrap().is_some();
        (!ended).then(|| Self { address: format!("http://127.0.0.1:{port}"), _child: child, _folder: folder })
    }
}
