// The worker that waits for the page: a hidden tab's own timers run too seldom for heartbeats.
import { answerTimers } from "@secureconnect/sdk";

addEventListener("message", answerTimers);
