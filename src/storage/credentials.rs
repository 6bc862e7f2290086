//! Credentials from the AWS chain (environment, profiles with SSO, web identity, container, instance), kept until
//! shortly before they expire.
//!
//! `object_store` reads environment and instance only, so its signer asks [`ChainProvider`] instead.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use thiserror::Error;
use tokio::sync::Mutex;

use super::error::first_line;

/// Credentials are renewed this long before they expire, so that a request under way does not outlive them.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// A login page or a credential process may take this long; a machine without any credentials answers in one second.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Where credentials come from. Never serialized.
#[derive(Clone, Default)]
pub enum Credentials {
    /// The AWS chain, by the connection's profile.
    #[default]
    Chain,
    /// Given keys, for tests and for servers whose keys the program makes itself.
    Static {
        access_key: String,
        secret_key: String,
        token: Option<String>,
    },
}

/// Shows the access key, which is no secret, and hides the rest.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain => f.write_str("Chain"),
            Self::Static { access_key, .. } => f
                .debug_struct("Static")
                .field("access_key", access_key)
                .finish_non_exhaustive(),
        }
    }
}

/// No credentials, in words that name the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(super) struct CredentialsFailure {
    message: String,
}

/// The AWS chain behind `object_store`'s signer.
#[derive(Debug)]
pub(super) struct ChainProvider {
    chain: SharedCredentialsProvider,
    profile: Option<String>,
    held: Mutex<Option<Held>>,
}

#[derive(Debug, Clone)]
struct Held {
    credential: Arc<AwsCredential>,
    expires: Option<SystemTime>,
}

impl Held {
    fn lasts(&self, longer_than: Duration) -> bool {
        self.expires
            .is_none_or(|expires| SystemTime::now() + longer_than < expires)
    }
}

impl ChainProvider {
    /// The chain for `profile`, or the default chain. Reads nothing yet.
    pub(super) async fn new(profile: Option<&str>, region: &str) -> Self {
        let region = aws_config::Region::new(region.to_owned());
        let config = ProviderConfig::without_region().with_region(Some(region.clone()));
        let chain = if let Some(profile) = profile {
            // A profile that was named must not lose against keys that happen to be in the environment.
            let named = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_name(profile);
            SharedCredentialsProvider::new(named.build())
        } else {
            // Off EC2 nobody answers at the metadata address: one short attempt instead of the usual minute.
            let instance = imds::Client::builder()
                .configure(&config)
                .max_attempts(1)
                .connect_timeout(Duration::from_secs(1))
                .read_timeout(Duration::from_secs(1))
                .build();
            let chain = DefaultCredentialsChain::builder()
                .configure(config)
                .region(region)
                .imds_client(instance);
            SharedCredentialsProvider::new(chain.build().await)
        };
        Self::over(chain, profile)
    }

    fn over(chain: SharedCredentialsProvider, profile: Option<&str>) -> Self {
        Self {
            chain,
            profile: profile.map(str::to_owned),
            held: Mutex::new(None),
        }
    }

    /// Credentials that last for a while: those held, or new ones.
    pub(super) async fn load(&self) -> Result<Arc<AwsCredential>, CredentialsFailure> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.lasts(RENEW_BEFORE)) {
            return Ok(held.credential.clone());
        }
        let answer = tokio::time::timeout(CHAIN_TIMEOUT, self.chain.provide_credentials()).await;
        let failure = match answer {
            Ok(Ok(credentials)) => {
                let credential = Arc::new(AwsCredential {
                    key_id: credentials.access_key_id().to_owned(),
                    secret_key: credentials.secret_access_key().to_owned(),
                    token: credentials.session_token().map(str::to_owned),
                });
                *held = Some(Held {
                    credential: credential.clone(),
                    expires: credentials.expiry(),
                });
                return Ok(credential);
            }
            Ok(Err(error)) => self.failure(&error),
            Err(_) => CredentialsFailure {
                message: format!(
                    "{} gave no credentials within {} s",
                    self.source_name(),
                    CHAIN_TIMEOUT.as_secs()
                ),
            },
        };
        // A failed renewal does no harm while the old credentials still hold.
        match held.as_ref().filter(|held| held.lasts(Duration::ZERO)) {
            Some(held) => Ok(held.credential.clone()),
            None => Err(failure),
        }
    }

    fn source_name(&self) -> String {
        match &self.profile {
            Some(profile) => format!("profile `{profile}`"),
            None => "the AWS credential chain".to_owned(),
        }
    }

    fn failure(&self, error: &CredentialsError) -> CredentialsFailure {
        let source = self.source_name();
        let login = match &self.profile {
            Some(profile) => format!(" --profile {profile}"),
            None => String::new(),
        };
        let reasons = reasons(error);
        let reason = reasons.last().map_or("", String::as_str);
        let mentions = |word: &str| reasons.iter().any(|reason| reason.to_lowercase().contains(word));
        // A profile may lean on another one that does not exist.
        let is_other_missing = self.profile.as_ref().is_some_and(|profile| {
            reason.contains("was not defined")
                && !reason.contains(&format!("profile `{profile}` was not defined"))
        });
        // Off EC2 the chain ends with the metadata address that does not answer, which is no login that expired.
        let is_off_ec2 = self.profile.is_none() && (mentions("imds") || mentions("metadata"));
        let is_missing =
            !is_other_missing && (is_off_ec2 || matches!(error, CredentialsError::CredentialsNotLoaded(_)));
        let of_environment = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let message = if is_missing && self.profile.is_some() {
            format!(
                "{source} is not in ~/.aws or holds no credentials; add it with `aws configure{login}` or choose another"
            )
        } else if is_missing && let Some(profile) = of_environment {
            format!(
                "no AWS credentials found: AWS_PROFILE names profile `{profile}`, which is not in ~/.aws or holds no \
                 credentials; correct it, or add the profile with `aws configure --profile {profile}`"
            )
        } else if is_missing {
            "no AWS credentials found; run `aws sso login` or `aws configure`, name a profile, set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or use anonymous access for a public bucket"
                .to_owned()
        } else if mentions("sso") || mentions("token") {
            format!("{source} is not logged in or its login has expired; run `aws sso login{login}`")
        } else {
            format!("{source}: {reason}; correct ~/.aws/config or choose another profile")
        };
        CredentialsFailure { message }
    }
}

#[async_trait::async_trait]
impl CredentialProvider for ChainProvider {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.load().await.map_err(|failure| object_store::Error::Generic {
            store: "S3",
            source: Box::new(failure),
        })
    }
}

/// The region of the environment or of the profile.
pub(super) async fn chain_region(profile: Option<&str>) -> Option<String> {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        file = file.profile_name(profile);
    }
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(file.build())
        .region()
        .await?;
    Some(region.to_string())
}

/// What an error and each of its sources say, in one line each.
fn reasons(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(|error| first_line(&error.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials as AwsKeys;
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

    use super::{ChainProvider, Credentials};

    /// Gives `key-1`, `key-2`, ... that last for `lifetime`, then fails after `n_good` answers.
    #[derive(Debug)]
    struct Counted {
        asked: Arc<AtomicU64>,
        lifetime: Duration,
        n_good: u64,
    }

    impl ProvideCredentials for Counted {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let n = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            future::ProvideCredentials::ready(if n > self.n_good {
                Err(CredentialsError::not_loaded("gone"))
            } else {
                let expires = Some(SystemTime::now() + self.lifetime);
                Ok(AwsKeys::new(format!("key-{n}"), "secret", None, expires, "test"))
            })
        }
    }

    fn provider(lifetime: u64, n_good: u64) -> (ChainProvider, Arc<AtomicU64>) {
        let asked = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            asked: asked.clone(),
            lifetime: Duration::from_secs(lifetime),
            n_good,
        };
        (
            ChainProvider::over(SharedCredentialsProvider::new(counted), None),
            asked,
        )
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_while_they_last() {
        let (provider, asked) = provider(3600, 9);
        for _ in 0..3 {
            assert_eq!(provider.load().await.unwrap().key_id, "key-1");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn credentials_near_their_end_are_renewed_and_kept_when_that_fails() {
        let (provider, _) = provider(60, 2);
        assert_eq!(provider.load().await.unwrap().key_id, "key-1");
        assert_eq!(provider.load().await.unwrap().key_id, "key-2");
        assert_eq!(provider.load().await.unwrap().key_id, "key-2");
    }

    #[tokio::test]
    async fn a_chain_without_credentials_names_the_remedies() {
        let (provider, _) = provider(0, 0);
        let message = provider.load().await.unwrap_err().to_string();
        assert!(message.contains("aws sso login"), "{message}");
        assert!(message.contains("anonymous"), "{message}");
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let keys = Credentials::Static {
            access_key: "AKIA".to_owned(),
            secret_key: "hush".to_owned(),
            token: Some("hush".to_owned()),
        };
        let text = format!("{keys:?}");
        assert!(text.contains("AKIA") && !text.contains("hush"), "{text}");
    }
}
