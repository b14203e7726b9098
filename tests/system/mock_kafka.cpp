// librdkafka's mock of a Kafka cluster as a process of its own: it speaks Kafka's protocol over
// real sockets and keeps what it is told in memory. Built by kafka.mjs.
//
// mock_kafka BROKERS TOPIC PARTITIONS: says where it is, then does what it reads, line by line, and
// answers each with "done": "down BROKER" (connections end, and none is taken) and "up BROKER", -1
// for all, and "lead PARTITION BROKER". Ends with its input.
#include <array>
#include <cstdlib>
#include <iostream>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sstream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::array<char, 256> problem{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, nullptr);
  rd_kafka_t* const handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem.data(), problem.size());
  if (handle == nullptr) return 1;
  const int brokers = std::atoi(argv[1]);
  rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(handle, brokers);
  if (cluster == nullptr) return 1;
  rd_kafka_mock_topic_create(cluster, argv[2], std::atoi(argv[3]), brokers);
  std::cout << rd_kafka_mock_cluster_bootstraps(cluster) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string order;
    int first = 0;
    int second = 0;
    words >> order >> first >> second;
    if (order == "down") rd_kafka_mock_broker_set_down(cluster, first);
    if (order == "up") rd_kafka_mock_broker_set_up(cluster, first);
    if (order == "lead") rd_kafka_mock_partition_set_leader(cluster, argv[2], first, second);
    std::cout << "done" << std::endl;
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(handle);
  return 0;
}
