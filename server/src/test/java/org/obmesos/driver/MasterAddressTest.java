// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MasterAddressTest {
  private static List<URI> fixed(String text) {
    return ((MasterAddress.Fixed) MasterAddress.parse(text)).masters();
  }

  @Test
  void aHostAloneHasMesosPort() {
    assertThat(fixed("master")).containsExactly(URI.create("http://master:5050"));
  }

  @Test
  void severalMastersStandBetweenCommas() {
    assertThat(fixed("a:5050, b:5051,https://c"))
        .containsExactly(
            URI.create("http://a:5050"), URI.create("http://b:5051"), URI.create("https://c:5050"));
  }

  @Test
  void zooKeeperHasServersAPathAndPerhapsALogin() {
    assertThat(MasterAddress.parse("zk://u:p@a:2181,b:2181/mesos"))
        .isEqualTo(new MasterAddress.ZooKeeper("a:2181,b:2181", "/mesos", Optional.of("u:p")));
  }

  @Test
  void aPasswordIsNeverShown() {
    assertThat(MasterAddress.parse("zk://user:geheim@a:2181/mesos").toString())
        .isEqualTo("zk://a:2181/mesos");
    assertThat(new Credentials("user", "geheim").toString()).doesNotContain("geheim");
    assertThatThrownBy(() -> MasterAddress.parse("zk://user:geheim@a:2181"))
        .hasMessageNotContaining("geheim");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a b", "ftp://a", "http://", "a:99999999", "a,,b", "zk://a", "zk:///x", "a/b"})
  void whatIsNoAddressIsRefusedInASentence(String text) {
    assertThatThrownBy(() -> MasterAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("The master's address ");
  }

  @Property
  void anyTextIsAnAddressOrRefusedInASentence(@ForAll String text) {
    try {
      MasterAddress.parse(text);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageStartingWith("The master's address ");
    }
  }
}
