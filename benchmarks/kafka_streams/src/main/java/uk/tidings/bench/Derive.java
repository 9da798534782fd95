package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.SecretKeySpec;
import org.apache.avro.util.Utf8;
import org.bouncycastle.crypto.digests.Blake2bDigest;

/** Derived ids: a uuid is one AES block, a text is keyed BLAKE2b in lower-case base32 behind the key's version. */
final class Derive {
    private static final int DIGEST_BYTES = 20;
    private static final byte[] DIGITS = "abcdefghijklmnopqrstuvwxyz234567".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private final Blake2bDigest subjects;
    private final Blake2bDigest records;
    private final Cipher permutation;
    private final byte[] tag;
    private final byte[] digest = new byte[DIGEST_BYTES];
    private final byte[] block = new byte[16];

    Derive(JsonNode keys, int version) {
        HexFormat hex = HexFormat.of();
        subjects = new Blake2bDigest(hex.parseHex(keys.get("pseudonym").asText()), DIGEST_BYTES, null, null);
        records = new Blake2bDigest(hex.parseHex(keys.get("record-id").asText()), DIGEST_BYTES, null, null);
        tag = ("v" + version + ".").getBytes(StandardCharsets.US_ASCII);
        try {
            permutation = Cipher.getInstance("AES/ECB/NoPadding");
            permutation.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(hex.parseHex(keys.get("event-id").asText()), "AES"));
        } catch (GeneralSecurityException failure) {
            throw new IllegalStateException(failure);
        }
    }

    byte[] subject(byte[] message) {
        return text(subjects, message);
    }

    byte[] record(byte[] message) {
        return text(records, message);
    }

    Utf8 uuid(String text) {
        for (int at = 0, from = 0; at < 16; at++, from += 2) {
            if (text.charAt(from) == '-') {
                from++;
            }
            block[at] = (byte) (Character.digit(text.charAt(from), 16) << 4 | Character.digit(text.charAt(from + 1), 16));
        }
        try {
            permutation.update(block, 0, 16, block, 0);
        } catch (ShortBufferException failure) {
            throw new IllegalStateException(failure);
        }
        byte[] made = new byte[36];
        for (int at = 0, to = 0; at < 16; at++) {
            if (at == 4 || at == 6 || at == 8 || at == 10) {
                made[to++] = '-';
            }
            made[to++] = HEX[block[at] >> 4 & 15];
            made[to++] = HEX[block[at] & 15];
        }
        return new Utf8(made);
    }

    private byte[] text(Blake2bDigest keyed, byte[] message) {
        keyed.update(message, 0, message.length);
        keyed.doFinal(digest, 0);
        byte[] made = new byte[tag.length + DIGEST_BYTES * 8 / 5];
        System.arraycopy(tag, 0, made, 0, tag.length);
        int to = tag.length;
        for (int at = 0; at < DIGEST_BYTES; at += 5) {
            long group = 0;
            for (int next = 0; next < 5; next++) {
                group = group << 8 | digest[at + next] & 255;
            }
            for (int shift = 35; shift >= 0; shift -= 5) {
                made[to++] = DIGITS[(int) (group >> shift) & 31];
            }
        }
        return made;
    }
}
