package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** One stream thread, exactly_once_v2: inbox in, a feed a view out. Ends on SIGTERM. */
public final class Main {
    private static final String SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";

    private Main() {}

    /** {@code arguments[0]} is the task, see benchmarks/task.py. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        JsonNode task = new ObjectMapper().readTree(new File(arguments[0]));
        KafkaStreams streams = new KafkaStreams(topology(task), settings(task));
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
        streams.start();
        ended.await();
        System.exit(1);
    }

    private static Topology topology(JsonNode task) {
        List<String> feeds = new ArrayList<>();
        task.get("views").forEach(view -> feeds.add(view.get("feed").asText()));
        Topology made = new Topology();
        made.addSource("inbox", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(),
            task.get("inbox").asText());
        made.addProcessor("views", () -> new MakeViews(task), "inbox");
        for (String feed : feeds) {
            made.addSink(feed, feed, Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "views");
        }
        return made;
    }

    private static Properties settings(JsonNode task) {
        boolean latency = task.get("latency").asBoolean();
        Properties made = new Properties();
        made.put(StreamsConfig.APPLICATION_ID_CONFIG, task.get("group").asText());
        made.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        made.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        made.put(StreamsConfig.STATE_DIR_CONFIG, task.get("state").asText());
        made.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, number("commit.interval.ms", latency ? 5 : 100));
        made.put(StreamsConfig.POLL_MS_CONFIG, number("poll.ms", latency ? 5 : 100));
        made.put(StreamsConfig.producerPrefix("linger.ms"), number("linger.ms", latency ? 0 : 20));
        made.put(StreamsConfig.producerPrefix("batch.size"), number("batch.size", latency ? 262_144 : 65_536));
        made.put(StreamsConfig.producerPrefix("buffer.memory"), (long) number("buffer.memory", 268_435_456));
        made.put(StreamsConfig.producerPrefix("compression.type"), System.getProperty("compression.type", "lz4"));
        made.put(StreamsConfig.producerPrefix("retry.backoff.ms"), 2);
        made.put(StreamsConfig.consumerPrefix("max.poll.records"), number("max.poll.records", 10_000));
        made.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), number("max.partition.fetch.bytes", latency ? 1_048_576 : 4_194_304));
        made.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        made.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 8_000);
        connection(task.get("clients"), made);
        return made;
    }

    /** A setting to be tried out, from a system property of this name. */
    private static int number(String name, int otherwise) {
        return Integer.getInteger(name, otherwise);
    }

    /** The client's settings under Java's names. */
    private static void connection(JsonNode clients, Properties into) {
        into.put("bootstrap.servers", clients.get("bootstrap.servers").asText());
        if (!clients.has("security.protocol")) {
            return;
        }
        into.put("security.protocol", clients.get("security.protocol").asText());
        into.put("ssl.truststore.type", "PEM");
        into.put("ssl.truststore.location", clients.get("ssl.ca.location").asText());
        into.put("sasl.mechanism", clients.get("sasl.mechanism").asText());
        into.put("sasl.jaas.config", String.format("%s required username=\"%s\" password=\"%s\";", SCRAM,
            clients.get("sasl.username").asText(), clients.get("sasl.password").asText()));
    }
}
