package peer;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * A peer: a chat over Spring's simple broker, as the service that RealTimeChat replaces is one, on the
 * same paths. No database, no identities, no count of people: less than that service does.
 */
@SpringBootApplication
public class Chat {
  public static void main(String[] arguments) {
    SpringApplication chat = new SpringApplication(Chat.class);
    chat.setRegisterShutdownHook(false); // a run ends at once
    chat.run(arguments);
  }
}
