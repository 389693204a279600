//! Somebody at the platform's dialog, without a browser: for tests about what happens behind it.
//! Belongs here: the way from a link to the callback. A real browser is in `browser`.

use harness_engine::{ConnectStage, HostError};
use url::Url;

use harness_inbox::{AccountId, WorkspaceId};

use crate::{World, request};

/// A person who goes on from one link.
pub struct Person<'w> {
    pub world: &'w World,
    pub ticket: String,
    pub cookie: String,
}

impl<'w> Person<'w> {
    /// Opens a new link.
    pub async fn new(world: &'w World) -> Self {
        Self::new_in(world, WorkspaceId::FIRST).await
    }

    /// Opens a new link for an account of this workspace.
    pub async fn new_in(world: &'w World, workspace: WorkspaceId) -> Self {
        let ticket = world.host.begin_connecting_in(workspace, "instagram", None).await.unwrap();
        let cookie = world.host.open_link(&ticket, None).await.unwrap().expect("a new browser gets a cookie");
        Self { world, ticket, cookie }
    }

    /// Goes to the platform's dialog.
    pub async fn visits(&self, login: &str) -> Url {
        self.world.host.start_connecting(&self.ticket, login, &self.cookie).await.unwrap().unwrap()
    }

    /// Answers the dialog with everything that it offers but `without`; returns the query of the callback.
    pub async fn permits(&self, dialog: &Url, without: &[&str]) -> String {
        let page = request("GET", dialog.as_str(), &[], Vec::new()).await.body;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for input in page.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
            let attribute = |name: &str| {
                let (_, rest) = input.split_once(&format!(" {name}=\""))?;
                Some(rest.split('"').next().unwrap_or_default().to_owned())
            };
            let (Some(name), Some(value)) = (attribute("name"), attribute("value")) else { continue };
            if input.contains("checked") && !without.contains(&value.as_str()) {
                form.append_pair(&name, &value);
            }
        }
        form.append_pair("action", "continue");
        self.presses(dialog, form.finish()).await
    }

    /// Cancels the dialog; returns the query of the callback.
    pub async fn cancels(&self, dialog: &Url) -> String {
        self.presses(dialog, "action=cancel".into()).await
    }

    async fn presses(&self, dialog: &Url, form: String) -> String {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = request("POST", dialog.as_str(), &headers, form.into_bytes()).await;
        let location = answer.headers.get("location").unwrap_or_else(|| panic!("no redirect: {}", answer.body));
        let location = Url::parse(location.to_str().unwrap()).unwrap();
        assert_eq!(location.path(), "/oauth/instagram/callback");
        location.query().unwrap_or_default().to_owned()
    }

    /// Comes back from the dialog.
    pub async fn returns(&self, query: &str) -> Result<ConnectStage, HostError> {
        self.world.host.connect_callback("instagram", query, &[&self.cookie]).await?;
        Ok(self.stage())
    }

    pub fn stage(&self) -> ConnectStage {
        self.world.host.connecting(&self.ticket).unwrap().stage
    }

    /// Chooses one of the candidates.
    pub async fn chooses(&self, candidate: &str) -> Result<ConnectStage, HostError> {
        self.world.host.connect_select(&self.ticket, candidate, Some(&[&self.cookie])).await?;
        Ok(self.stage())
    }

    /// All of it, with the first account that can be chosen; returns the account's row.
    pub async fn connects(&self, login: &str) -> AccountId {
        let dialog = self.visits(login).await;
        let query = self.permits(&dialog, &[]).await;
        let mut stage = self.returns(&query).await.unwrap();
        if let ConnectStage::Choosing { candidates } = &stage {
            let first = candidates.iter().find(|candidate| candidate.obstacle.is_none()).unwrap();
            stage = self.chooses(&first.id).await.unwrap();
        }
        match stage {
            ConnectStage::Connected { account } => account,
            other => panic!("not connected: {other:?}"),
        }
    }
}
