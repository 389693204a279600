//! Owns: the setup of the demo: a simulator with one account, a host with the channel, one customer.
//! Does not own: the conversation.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use harness_automation::Automation;
use harness_contract::{
    FallbackPolicy, OutboundMessage, OutboundPart, OutboundText, Sender, SenderKind, settings::RawSetting,
};
use harness_engine::{ChannelOptions, Clock, Grant, Host, HostOptions, Secret};
use harness_inbox::{Accepted, CannedAnswerText, ConversationId, NewUser, ReplyState, ReplyView, Role, WorkspaceId};
use harness_sandbox::SandboxConfig;
use harness_server::{Authenticator, Limits, PageAccess, TokenFile, new_token};
use simulator::{AccountConfig, Config, Customer, HostAccount, Simulator};
use tempfile::TempDir;

use super::phone::DemoPhone;

/// A demo that runs. It ends when it is dropped.
pub struct Stage {
    /// The platform.
    pub sim: Simulator,
    /// The host, with an inbox that nobody else has.
    pub host: Host,
    /// The host's clock.
    pub clock: Clock,
    /// Whose phone it is.
    pub customer: Customer,
    /// `http://127.0.0.1:…`: the inbox, and the phone under `/demo`.
    pub address: String,
    /// Opens the API.
    pub token: String,
    /// The channel's id.
    pub channel: String,
    /// The account's name and id.
    pub account: (String, String),
    replies: std::sync::atomic::AtomicU64,
    server: tokio::task::AbortHandle,
    /// Ends with the demo.
    _automation: Automation,
    /// Holds the inbox; deleted with the demo.
    _folder: TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Stage {
    /// Starts the simulated platform and the host, loads the channel and connects an account.
    ///
    /// # Errors
    ///
    /// If the component is none, or one of the parts does not start.
    pub async fn set(component: Vec<u8>, sandbox: SandboxConfig) -> Result<Self> {
        let sim = Simulator::start(Config { accounts: vec![shop()], ..Config::demo() }).await?;
        let folder = private_folder()?;
        let clock = Clock::default();
        let options = HostOptions {
            sandbox,
            endpoints: endpoints(&sim)?,
            clock: clock.clone(),
            ..HostOptions::in_folder(folder.path())
        };
        let host = Host::open(options).await?;
        let secrets = slots(sim.config().app_secrets());
        // All granted hosts are redirected to the simulator.
        let manifest = harness_sandbox::inspect(&component, component.len())?.manifest()?;
        let apps = sim.config().app_ids().map(|(key, id)| (key.to_owned(), RawSetting::Text(id.to_owned())));
        let setup = ChannelOptions {
            grant: Some(Grant::all_of(&manifest)),
            secrets,
            settings: apps.into(),
            ..ChannelOptions::default()
        };
        let channel = host.load_channel(component, setup).await?.channel.id().to_owned();
        let account = connect(&host, &sim, &channel).await?;
        let automation = Automation::start(&host);
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await?;
        let address = format!("http://{}", listener.local_addr()?);
        host.set_public_url(address.parse()?);
        let token = new_token()?;
        let customer = sim.customer(Config::DEMO_CUSTOMER);
        customer.set_profile(|profile| {
            profile.name = Some("Sam Keller".into());
            profile.username = "sam.keller".into();
        });
        people(&host).await?;
        let business = sim.accounts().first().map(|account| account.username.clone()).unwrap_or_default();
        let phone = Arc::new(DemoPhone::new(sim.clone(), clock.clone(), customer.clone(), business)?);
        let tokens = TokenFile::in_folder(folder.path());
        let access = Authenticator::new(Some(&Secret::new(token.clone().into_bytes())), Some(tokens));
        let router =
            harness_server::router_with_pages(host.clone(), access, PageAccess::Demo(Some(phone)), &Limits::default());
        let server = tokio::spawn(harness_server::serve(listener, router, std::future::pending())).abort_handle();
        sim.set_callbacks(&address);
        sim.set_webhook_url(format!("{address}/webhooks/{channel}"));
        sim.verify_webhook().await.context("the challenge of the webhook")?;
        let replies = std::sync::atomic::AtomicU64::default();
        Ok(Self {
            sim,
            host,
            clock,
            customer,
            address,
            token,
            channel,
            account,
            replies,
            server,
            _automation: automation,
            _folder: folder,
        })
    }

    /// The conversation with the customer, once it exists.
    ///
    /// # Errors
    ///
    /// If the customer has not written yet, or the inbox cannot be read.
    pub async fn conversation(&self) -> Result<ConversationId> {
        let all = self.host.inbox().conversations(10).await?;
        let own = all.into_iter().find(|conversation| conversation.contact.as_deref() == Some(self.customer.igsid()));
        Ok(own.context("the customer has not written yet")?.id)
    }

    /// Queues a reply from the agent and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If it is not taken, or does not end within ten seconds.
    pub async fn send(&self, message: OutboundMessage) -> Result<ReplyView> {
        let number = self.replies.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let queued = self.host.reply(self.conversation().await?, &format!("demo-{number}"), message).await?;
        for _ in 0..500 {
            let view = self.host.inbox().reply(queued.reply).await?;
            if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                return Ok(view);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("the reply did not end within ten seconds")
    }

    /// Moves the clocks of both sides forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.sim.clock().advance(by);
    }
}

/// A message from a human agent.
pub fn reply(parts: Vec<OutboundPart>) -> OutboundMessage {
    OutboundMessage {
        id: String::new(),
        sender: Sender { kind: SenderKind::Human, id: "demo-agent".into(), name: None, picture_url: None },
        parts,
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: FallbackPolicy::Allow,
        try_anyway: false,
        options: Vec::new(),
        native: None,
    }
}

/// A text of a message.
pub fn text_part(text: &str) -> OutboundPart {
    OutboundPart::Text(OutboundText { text: text.to_owned(), ..OutboundText::default() })
}

fn endpoints(sim: &Simulator) -> Result<harness_engine::Endpoints> {
    sim.origins().into_iter().map(|(origin, url)| Ok((origin.to_owned(), url.parse()?))).collect()
}

/// The simulated credentials, as the host stores them.
fn slots<'s>(secrets: impl IntoIterator<Item = (&'static str, &'s simulator::Secret)>) -> HashMap<String, Secret> {
    let held = |secret: &simulator::Secret| Secret::new(secret.expose().as_bytes().to_vec());
    secrets.into_iter().map(|(slot, secret)| (slot.to_owned(), held(secret))).collect()
}

async fn connect(host: &Host, sim: &Simulator, channel: &str) -> Result<(String, String)> {
    let accounts = sim.accounts();
    let account = accounts.first().context("the simulator has an account")?;
    let human_agent = account.human_agent;
    let account = HostAccount::of(account).context("the account has a page with a token")?;
    let mut settings: BTreeMap<_, _> =
        account.settings.into_iter().map(|(key, value)| (key.to_owned(), RawSetting::Text(value))).collect();
    settings.insert("human-agent".to_owned(), RawSetting::Flag(human_agent));
    let secrets = slots(account.secrets.iter().map(|(slot, secret)| (*slot, secret)));
    host.connect_account(channel, &account.id, &account.name, &settings, secrets).await?;
    sim.subscribe(&account.id);
    Ok((account.name, account.id))
}

/// The shop whose inbox it is.
fn shop() -> AccountConfig {
    AccountConfig { name: "Fern & Clay".into(), username: "fernandclay".into(), ..AccountConfig::demo(1) }
}

/// A small team, with what it keeps at hand.
async fn people(host: &Host) -> Result<()> {
    let (users, now, workspace) = (host.users(), host.clock().now(), WorkspaceId::FIRST);
    for (name, email) in [("Nora Whitfield", "nora@fernandclay.example"), ("Dev Patel", "dev@fernandclay.example")] {
        // Nobody can sign in as them.
        let accepted = Accepted::Provider { issuer: "demo".into(), subject: email.into() };
        let new = NewUser { workspace, email: email.into(), name: name.into(), role: Role::Admin, accepted };
        users.create_user(new, now).await?;
    }
    for name in ["Orders", "Workshops"] {
        host.add_collection(workspace, name).await?;
    }
    let hours = CannedAnswerText {
        shortcut: "hours".into(),
        title: "Opening hours".into(),
        text: "Hello {{contact.name}}, we are open every day from ten to six.".into(),
    };
    host.add_canned_answer(workspace, &hours).await?;
    Ok(())
}

/// A folder for this user alone: it will hold conversations.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    folder.tempdir()
}
