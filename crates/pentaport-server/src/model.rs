//! The Winsock I/O models that a server can run under.

use std::fmt;
use std::str::FromStr;

/// A Winsock I/O model: the way in which a server waits for its connections.
///
/// A model changes how the server waits and what that costs, never what the service means: the same
/// [`Service`](crate::Service) runs under each of them.
///
/// ```
/// use pentaport_server::Model;
///
/// let model: Model = "completion-port".parse()?;
/// assert_eq!(model, Model::CompletionPort);
/// assert_eq!(model.to_string(), "completion-port");
/// # Ok::<(), pentaport_server::UnknownModel>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// A thread for each client, in blocking calls: the baseline that the models are measured against.
    ///
    /// Only the peer releases a thread from a blocking call. A client that neither reads nor leaves when the drain time
    /// of a stop is over, and a tenth of a second more, is given up: [`Server::run`](crate::Server::run) returns, its
    /// session is closed and our side of the connection ended, but its thread stays until the client leaves or the
    /// process ends.
    ThreadPerClient,
    /// Every worker calls `select` over its share of the connections.
    Select,
    /// Every worker has a message loop, and its connections send it window messages (WSAAsyncSelect).
    AsyncSelect,
    /// Every worker waits for the events of its connections, one for each (WSAEventSelect).
    EventSelect,
    /// Overlapped operations, each with an event that is set when it is over; every worker waits for those of its
    /// connections.
    OverlappedEvent,
    /// Overlapped operations, each with a routine that is called when it is over, in an alertable wait of the worker
    /// that started it.
    OverlappedRoutine,
    /// Overlapped operations whose completions are queued to a port that all workers take from.
    CompletionPort,
}

impl Model {
    /// Every model, from the simplest to the one that scales furthest.
    pub const ALL: &[Model] = &[
        Model::ThreadPerClient,
        Model::Select,
        Model::AsyncSelect,
        Model::EventSelect,
        Model::OverlappedEvent,
        Model::OverlappedRoutine,
        Model::CompletionPort,
    ];

    /// The model's name, as the command line writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Model::ThreadPerClient => "thread-per-client",
            Model::Select => "select",
            Model::AsyncSelect => "async-select",
            Model::EventSelect => "event-select",
            Model::OverlappedEvent => "overlapped-event",
            Model::OverlappedRoutine => "overlapped-routine",
            Model::CompletionPort => "completion-port",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let found = Model::ALL.iter().find(|model| model.name() == name);
        found.copied().ok_or_else(|| UnknownModel { name: name.to_owned() })
    }
}

/// The error of a name that is no [`Model`]; its text lists those that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownModel {
    name: String,
}

impl fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown model '{}'; the models are", self.name)?;
        for (index, model) in Model::ALL.iter().enumerate() {
            write!(f, "{} {model}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownModel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for model in Model::ALL {
            assert_eq!(model.to_string().parse(), Ok(*model));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_models() {
        let error = "kqueue".parse::<Model>().unwrap_err().to_string();
        let models = "thread-per-client, select, async-select, event-select, overlapped-event, overlapped-routine, \
                      completion-port";
        assert_eq!(error, format!("unknown model 'kqueue'; the models are {models}"));
    }
}
