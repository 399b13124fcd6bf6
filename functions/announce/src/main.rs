//! Announce: tells the bus of every change of a cluster's status, from the stream of the records.

mod stream;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use engine::errors::Called;
use engine::{aws, lambda, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stream::Batch;
use wire::change::{SOURCE, StatusChange, TYPE};

struct Bus {
    client: Client,
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::log();
    let bus = &Bus { client: Client::new(&aws::operator_config().await), name: settings::text("BUS")? };
    let handle = move |event: LambdaEvent<Batch>| async move { bus.announce(event.payload.changes()).await };
    lambda_runtime::run(service_fn(handle)).await
}

impl Bus {
    /// A batch has as many records as one call takes events. If one of them is refused, Lambda delivers the whole batch again.
    async fn announce(&self, changes: Vec<StatusChange>) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let entries = changes.iter().map(|change| self.entry(change)).collect::<serde_json::Result<_>>()?;
        let sent = self.client.put_events().set_entries(Some(entries)).send().await;
        let answer = sent.called("events:PutEvents").map_err(|error| error.detail)?;
        match answer.entries().iter().find_map(|entry| entry.error_code()) {
            None => Ok(()),
            Some(code) => Err(format!("{} of {} events were not taken: {code}", answer.failed_entry_count(), changes.len()).into()),
        }
    }

    fn entry(&self, change: &StatusChange) -> serde_json::Result<PutEventsRequestEntry> {
        let detail = serde_json::to_string(change)?;
        Ok(PutEventsRequestEntry::builder().event_bus_name(&self.name).source(SOURCE).detail_type(TYPE).detail(detail).build())
    }
}
