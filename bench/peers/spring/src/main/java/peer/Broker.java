package peer;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.messaging.MessageChannel;
import org.springframework.messaging.simp.config.ChannelRegistration;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.config.annotation.EnableWebSocketMessageBroker;
import org.springframework.web.socket.config.annotation.StompEndpointRegistry;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;
import org.springframework.web.socket.config.annotation.WebSocketTransportRegistration;

/** The simple broker, as one would run it on the processors that there are. */
@Configuration
@EnableWebSocketMessageBroker
public class Broker implements WebSocketMessageBrokerConfigurer {
  private static final long HEART_BEAT_MS = 25_000; // the original's
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
  // Two threads could overtake each other; a single one needs nothing to keep the order.
  private static final boolean KEEP_ORDER = PROCESSORS > 1;

  private final MessageChannel outbound;

  public Broker(@Lazy @Qualifier("clientOutboundChannel") MessageChannel outbound) {
    this.outbound = outbound;
  }

  @Override
  public void registerStompEndpoints(StompEndpointRegistry registry) {
    registry.addEndpoint("/ws");
    registry.setPreserveReceiveOrder(KEEP_ORDER);
  }

  @Override
  public void configureMessageBroker(MessageBrokerRegistry registry) {
    ThreadPoolTaskScheduler beats = new ThreadPoolTaskScheduler();
    beats.setPoolSize(1);
    beats.setThreadNamePrefix("heart-beat-");
    beats.initialize();
    registry
        .enableSimpleBroker("/sub", "/queue")
        .setHeartbeatValue(new long[] {HEART_BEAT_MS, HEART_BEAT_MS})
        .setTaskScheduler(beats);
    registry.setApplicationDestinationPrefixes("/pub");
    registry.setPreservePublishOrder(KEEP_ORDER);
  }

  /** Spring's own defaults, said aloud: what a slow reader may have waiting, and for how long. */
  @Override
  public void configureWebSocketTransport(WebSocketTransportRegistration transport) {
    transport.setMessageSizeLimit(64 * 1024);
    transport.setSendBufferSizeLimit(512 * 1024);
    transport.setSendTimeLimit(10_000);
  }

  /** As many threads as processors, as Spring's manual has it for work that does not wait. */
  @Override
  public void configureClientInboundChannel(ChannelRegistration inbound) {
    inbound.taskExecutor().corePoolSize(PROCESSORS);
    inbound.interceptors(new Receipts(outbound));
  }

  @Override
  public void configureClientOutboundChannel(ChannelRegistration registration) {
    registration.taskExecutor().corePoolSize(PROCESSORS);
  }
}
