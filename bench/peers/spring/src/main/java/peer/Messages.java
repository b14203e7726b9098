package peer;

import java.time.LocalDateTime;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.simp.SimpMessagingTemplate;
import org.springframework.stereotype.Controller;

/** What comes to /pub/chat goes to everyone in its room, as JSON of the original's shape. */
@Controller
public class Messages {
  public record Written(String roomId, String message) {}

  public record Sent(
      long id, String message, String randId, String nameTag, String createdAt, String ipAddress) {}

  private final SimpMessagingTemplate template;

  public Messages(SimpMessagingTemplate template) {
    this.template = template;
  }

  /** The original stores it between these two lines; without a database its ids are 0. */
  @MessageMapping("/chat")
  public void chat(Written written) {
    Sent sent =
        new Sent(0, written.message(), "Load7", "#0A1B2C", LocalDateTime.now().toString(), "127.0");
    template.convertAndSend("/sub/channel/" + written.roomId(), sent);
  }
}
