package peer;

import org.springframework.messaging.Message;
import org.springframework.messaging.MessageChannel;
import org.springframework.messaging.MessageHandler;
import org.springframework.messaging.simp.broker.SimpleBrokerMessageHandler;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompHeaderAccessor;
import org.springframework.messaging.support.ExecutorChannelInterceptor;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.messaging.support.MessageHeaderAccessor;

/**
 * The simple broker answers no receipts, and the load client must know when a subscription stands:
 * one is sent once the broker has taken the SUBSCRIBE. Costs nothing in a delivery.
 */
class Receipts implements ExecutorChannelInterceptor {
  private final MessageChannel outbound;

  Receipts(MessageChannel outbound) {
    this.outbound = outbound;
  }

  @Override
  public void afterMessageHandled(
      Message<?> message, MessageChannel channel, MessageHandler handler, Exception problem) {
    if (!(handler instanceof SimpleBrokerMessageHandler) || problem != null) return;
    StompHeaderAccessor asked =
        MessageHeaderAccessor.getAccessor(message, StompHeaderAccessor.class);
    if (asked == null || asked.getCommand() != StompCommand.SUBSCRIBE || asked.getReceipt() == null) {
      return;
    }
    StompHeaderAccessor answer = StompHeaderAccessor.create(StompCommand.RECEIPT);
    answer.setSessionId(asked.getSessionId());
    answer.setReceiptId(asked.getReceipt());
    outbound.send(MessageBuilder.createMessage(new byte[0], answer.getMessageHeaders()));
  }
}
