//! The path of one call: a fault may strike it or a rule may answer it; otherwise the AWS behind answers and the rules change the answer.

use crate::account::Account;
use crate::answer::Answer;
use crate::authorization::ledger::{Entry, Ledger};
use crate::call::Call;
use crate::control_plane::{self, ControlPlane, Place};
use crate::faults::{Effect, Fault, Faults, When};
use crate::report::Report;
use crate::rules::{self, Rule};
use crate::world::World;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::Request;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;

/// The AWS behind the cloud.
pub trait Aws: Send + Sync {
    /// None if there was no answer.
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Option<Answer>>;
}

pub struct Cloud<A> {
    pub behind: A,
    state: Mutex<State>,
    /// Whoever passes deletions on has it alone.
    burial: RwLock<()>,
}

/// How a call gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The connection is reset.
    Reset,
    /// The connection stays open and nothing comes. A test that plays a crash ends the caller's process now.
    Silence,
}

struct State {
    world: World,
    rules: Vec<Box<dyn Rule>>,
    faults: Faults,
    report: Report,
    ledger: Ledger,
}

impl<A: Aws> Cloud<A> {
    pub fn new(behind: A, world: World) -> Self {
        let state = State { world, rules: rules::all(), faults: Faults::default(), report: Report::default(), ledger: Ledger::default() };
        Self { behind, state: Mutex::new(state), burial: RwLock::default() }
    }

    /// # Errors
    /// If there is no answer.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let call = Call::read(request);
        self.bury_the_dead().await;
        let fault = self.strike(&call);
        match &fault {
            Some(Effect::Refuse(refusal)) => return Ok(refusal.answer(&call.service)),
            Some(Effect::Lose(When::BeforeEffect)) => return Err(NoAnswer::Reset),
            Some(Effect::Hang(When::BeforeEffect)) => return Err(NoAnswer::Silence),
            Some(Effect::Slow(seconds)) => tokio::time::sleep(self.real(*seconds)).await,
            _ => {}
        }
        let answer = self.answer(&call).await.ok_or(NoAnswer::Reset);
        match fault {
            Some(Effect::Lose(When::AfterEffect)) => Err(NoAnswer::Reset),
            Some(Effect::Hang(When::AfterEffect)) => Err(NoAnswer::Silence),
            Some(Effect::Fail(issue)) => {
                rules::lifecycle::doom(&call, issue, &mut self.state().world);
                answer
            }
            Some(Effect::Stall) => {
                rules::lifecycle::stall(&call, &mut self.state().world);
                answer
            }
            _ => answer,
        }
    }

    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.state().faults.replace(faults);
    }

    /// From now on the account of that number is like this.
    pub fn set_account(&self, number: String, account: Account) {
        self.state().world.accounts.insert(number, account);
    }

    /// Only these control planes answer now. Those of these clusters should.
    pub fn set_control_planes(&self, answering: Vec<ControlPlane>) -> Vec<Place> {
        control_plane::replace(&mut self.state().world.control_planes, answering)
    }

    /// What was to be never finished is finished now.
    pub fn finish(&self) {
        self.state().world.finish();
    }

    /// What the cloud knows, and its time. What the rules themselves remember expires within minutes.
    pub fn world(&self) -> (World, Duration) {
        let state = self.state();
        let now = state.world.now();
        (state.world.copy(now, 0), now)
    }

    pub fn report(&self) -> Report {
        let state = self.state();
        let mut report = state.report.clone();
        report.faults.clone_from(&state.faults.counts);
        report
    }

    /// What AWS asked IAM for the sessions in customers' accounts.
    pub fn authorizations(&self) -> Vec<Entry> {
        self.state().ledger.entries()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn real(&self, seconds: f64) -> Duration {
        self.state().world.real(Duration::from_secs_f64(seconds))
    }

    fn strike(&self, call: &Call) -> Option<Effect> {
        let state = &mut *self.state();
        state.report.count(call);
        state.ledger.ask(call, state.world.sessions.get(&call.access_key));
        state.faults.strike(call, &mut state.world)
    }

    /// Passes on deletions whose time has come, and does what AWS does by itself. Nobody waits for the answers.
    async fn bury_the_dead(&self) {
        if !self.state().world.is_burial_due() {
            return;
        }
        // No other call is under way: the AWS behind would show it what is dead as if it were alive.
        let _alone = self.burial.write().await;
        let buried = self.state().world.bury();
        for request in buried {
            self.pass_on(request).await;
        }
        loop {
            let due = self.state().world.due();
            if due.is_empty() {
                return;
            }
            for request in due {
                // What follows from it, AWS does too.
                let call = Call::read(request.clone());
                if let Some(mut answer) = self.pass_on(request).await {
                    self.state().follow(&call, &mut answer);
                }
            }
        }
    }

    async fn pass_on(&self, request: Request<Bytes>) -> Option<Answer> {
        let name = Call::read(request.clone()).name();
        match self.behind.call(request).await {
            Some(answer) if answer.status().is_success() => Some(answer),
            // The group is there, or the interface has gone with what it was for.
            Some(_) if ["logs:CreateLogGroup", "ec2:DeleteNetworkInterface"].contains(&name.as_str()) => None,
            answer => {
                eprintln!("a late {name} was answered {:?}", answer.map(|answer| (answer.status(), answer.into_body())));
                None
            }
        }
    }

    async fn answer(&self, call: &Call) -> Option<Answer> {
        if let Some(answer) = self.state().answer_in_its_stead(call) {
            return Some(answer);
        }
        // Not while a function is invoked, because it makes calls of its own.
        let _before_burial = if call.service == "lambda" { None } else { Some(self.burial.read().await) };
        let mut answer = self.behind.call(call.request.clone()).await;
        match &mut answer {
            Some(answer) => self.state().amend(call, answer),
            None => self.state().give_up(call),
        }
        answer
    }
}

impl State {
    fn answer_in_its_stead(&mut self, call: &Call) -> Option<Answer> {
        let world = &mut self.world;
        self.rules.iter_mut().find_map(|rule| rule.before(call, world))
    }

    fn give_up(&mut self, call: &Call) {
        self.rules.iter_mut().for_each(|rule| rule.unanswered(call, &mut self.world));
    }

    fn amend(&mut self, call: &Call, answer: &mut Answer) {
        self.ledger.learn(call, self.world.sessions.get(&call.access_key), answer);
        self.follow(call, answer);
    }

    fn follow(&mut self, call: &Call, answer: &mut Answer) {
        for rule in self.rules.iter_mut().rev() {
            rule.after(call, answer, &mut self.world);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{json_answer, json_of};
    use serde_json::json;
    use std::sync::Arc;
    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;

    /// A cluster, and a function. A look at the one, and a call of the other, take their time.
    struct Slow(Semaphore);

    impl Aws for Slow {
        fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Option<Answer>> {
            Box::pin(async move {
                if request.method() == "GET" || request.uri().path().ends_with("/invocations") {
                    self.0.acquire().await.ok()?.forget();
                }
                Some(json_answer(&json!({"cluster": {"name": "c", "status": "ACTIVE"}})))
            })
        }
    }

    type Calls = Arc<Cloud<Slow>>;

    fn call(cloud: &Calls, service: &str, method: &str, path: &str) -> JoinHandle<Answer> {
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host");
        let request = Request::builder().method(method).uri(path).header("authorization", scope).header("content-type", "application/json");
        let request = request.body(Bytes::from_static(b"{\"name\": \"c\"}")).expect("valid");
        let cloud = Arc::clone(cloud);
        tokio::spawn(async move { cloud.call(request).await.expect("an answer") })
    }

    /// With a cluster that is being deleted.
    async fn cloud() -> Calls {
        let cloud = Arc::new(Cloud::new(Slow(Semaphore::new(0)), World::new(1, 1.0)));
        call(&cloud, "eks", "POST", "/clusters").await.expect("made");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        call(&cloud, "eks", "DELETE", "/clusters/c").await.expect("asked for");
        cloud
    }

    #[tokio::test(start_paused = true)]
    async fn what_dies_while_it_is_looked_at_is_never_shown_alive() {
        let cloud = cloud().await;
        let look = call(&cloud, "eks", "GET", "/clusters/c");
        tokio::time::sleep(Duration::from_secs(7200)).await;
        let next = call(&cloud, "eks", "POST", "/clusters");
        tokio::time::sleep(Duration::from_secs(1)).await;
        cloud.behind.0.add_permits(1);
        let seen = json_of(&look.await.expect("seen")).expect("JSON");
        assert_eq!(seen["cluster"]["status"], "DELETING");
        next.await.expect("it waits for the look, and then comes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_may_call_while_something_is_buried() {
        let cloud = cloud().await;
        let invocation = call(&cloud, "lambda", "POST", "/2015-03-31/functions/f/invocations");
        tokio::time::sleep(Duration::from_secs(7200)).await;
        let during = tokio::time::timeout(Duration::from_secs(60), call(&cloud, "eks", "POST", "/clusters"));
        during.await.expect("it does not wait for the invocation, which may wait for it").expect("an answer");
        cloud.behind.0.add_permits(1);
        invocation.await.expect("ended");
    }
}
