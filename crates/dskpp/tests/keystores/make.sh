#!/bin/sh
# Makes the keystores of this folder anew: with the keytool of a JDK (17 was used) and openssl (3.0 was used).
set -e
rm -f java.p12 java-old.p12 java.keys java-old.keys
for name in java java-old; do
    old=$([ $name = java ] || echo -J-Dkeystore.pkcs12.legacy)
    key() { keytool $old -keystore $name.p12 -storetype PKCS12 -storepass password "$@" 2>/dev/null; }
    printf '12345678901234567890\n12345678901234567890\n' | key -importpass -alias 'Seed of Älice, whose name is longer than others' -keypass password
    key -genseckey -alias aes -keyalg AES -keysize 256
    key -genseckey -alias hmac1 -keyalg HmacSHA1 -keysize 160
    key -genseckey -alias hmac256 -keyalg HmacSHA256 -keysize 256
    key -genseckey -alias des -keyalg DESede -keysize 168
    key -genkeypair -alias pair -keyalg EC -groupname secp256r1 -dname CN=pair
    cat > /tmp/List.java <<'J'
import java.security.*;
public class List {
    public static void main(String[] a) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new java.io.FileInputStream(a[0]), "password".toCharArray());
        for (String alias : java.util.Collections.list(store.aliases())) {
            Key key = store.getKey(alias, "password".toCharArray());
            if (key instanceof javax.crypto.SecretKey)
                System.out.println(java.util.HexFormat.of().formatHex(key.getEncoded()) + " " + key.getAlgorithm() + " " + alias);
        }
    }
}
J
    java -Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 /tmp/List.java $name.p12 > $name.keys
done
