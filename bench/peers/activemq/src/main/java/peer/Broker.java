package peer;

import org.apache.activemq.broker.BrokerService;

/**
 * A peer: ActiveMQ Classic with STOMP over WebSocket, its topics as rooms. Nothing is stored, managed
 * or advised; all else is as it comes. Readers are held back, never left out: no limit on what
 * waits for one is set, because the load client counts what is missing.
 */
public class Broker {
  public static void main(String[] arguments) throws Exception {
    BrokerService broker = new BrokerService();
    broker.setBrokerName("bench");
    broker.setPersistent(false);
    broker.setUseJmx(false);
    broker.setAdvisorySupport(false);
    broker.setSchedulerSupport(false);
    broker.setUseShutdownHook(false); // a run ends at once
    broker.addConnector("ws://127.0.0.1:" + Integer.parseInt(arguments[0]));
    broker.start();
    broker.waitUntilStopped();
  }
}
