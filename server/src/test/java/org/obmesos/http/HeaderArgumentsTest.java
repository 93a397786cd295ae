// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.obmesos.api.BlockMapper;
import org.obmesos.api.HeaderArgumentTable;
import org.obmesos.document.HeaderArgument;
import org.obmesos.task.InvalidBlockException;

final class HeaderArgumentsTest {
  private static JsonObject item() {
    JsonObject item = new JsonObject();
    item.addProperty("id", "b");
    item.addProperty("body", "true");
    return item;
  }

  private static JsonObject taken(String line) {
    return new Gson()
        .toJsonTree(HeaderArguments.block(item(), HeaderArgument.parse(line)))
        .getAsJsonObject();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        ":cpu 2 :mem 2G # {'cpus':2.0,'mem':2048.0}",
        ":disk 512k :gpus 1 # {'disk':0.5,'gpus':1.0}",
        ":dockerize t :image redis # {'container':{'image':'redis','containerizer':'docker'}}",
        ":dockerimage r # {'container':{'image':'r','containerizer':'docker'}}",
        ":image r :expose 6379:6379 80 # {'container':{'image':'r','network':'bridge',"
            + "'expose':[{'host':6379,'container':6379},{'host':0,'container':80}]}}",
        ":image r :volumes /a:/b:ro :pull always # {'container':{'pull':true,"
            + "'volumes':[{'host':'/a','container':'/b','readOnly':true}]}}",
        ":ensure it-finishes :backoff 2 # {'ensure':'it-finishes','backoff':2.0}",
        ":attempts 3 :priority -5 :tail 0 # {'attempts':3,'priority':-5,'tailLines':0}",
        ":timeout 1.5 :kill-grace 0 # {'timeout':1.5,'killGrace':0.0}",
        ":env A=1 \"B=x y\" # {'environment':{'A':'1','B':'x y'}}",
        ":ports 2 :health tcp # {'ports':['0','1'],'health':{'kind':'tcp','port':'0'}}",
        ":ports web :health http /ok # {'ports':['web'],"
            + "'health':{'kind':'http','port':'web','target':'/ok'}}",
        ":health cmd test -e x # {'health':{'kind':'cmd','target':'test -e x'}}",
        ":constraints rack:LIKE:a.*:b host:UNIQUE # {'constraints':["
            + "{'attribute':'rack','operator':'LIKE','value':'a.*:b'},"
            + "{'attribute':'host','operator':'UNIQUE'}]}",
        ":uris http://h/a+b.tgz+extract+as=x # {'uris':["
            + "{'value':'http://h/a+b.tgz','extract':true,'name':'x'}]}",
        ":dir /tmp :user nobody :agent h :role r "
            + "# {'directory':'/tmp','user':'nobody','agent':'h','role':'r'}",
        ":uris /a+cached+cache # {'uris':[{'value':'/a+cached','cache':true}]}",
        ":results output :exports both :nonsense 1 # {}",
      })
  void argumentsMeanWhatTheyMeanInEmacs(String line, String expected) {
    JsonObject found = taken(line);
    JsonObject wanted = JsonParser.parseString(expected).getAsJsonObject();
    for (String key : wanted.keySet()) {
      if (wanted.get(key).isJsonObject() && key.equals("container")) {
        for (String inner : wanted.getAsJsonObject(key).keySet()) {
          assertThat(found.getAsJsonObject(key).get(inner))
              .isEqualTo(wanted.getAsJsonObject(key).get(inner));
        }
      } else {
        assertThat(found.get(key)).isEqualTo(wanted.get(key));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        ":cpus lots # cpus: a number",
        ":mem 1X # mem: a size",
        ":cpus (+ 1 1) # cpus: Lisp is not evaluated here",
        ":image `(x) # image: Lisp is not evaluated here",
        ":var x=1 # var: values are passed",
        ":files a.txt # files: the files of this machine",
        ":secret T=h # secret: the secrets of this machine",
        ":env novalue # env: NAME=VALUE",
        ":ports 0 # ports: how many ports",
        ":privileged perhaps # privileged: yes or no",
        ":network bridge # network: it needs an :image",
        ":health tcp # health: it needs a port",
        ":volumes here # volumes: 'here' is not valid",
        ":agent two words # agent: one word",
        ":priority 1001 # priority: a whole number from -1000 to 1000",
        ":timeout 0 # timeout: a number above 0",
        ":pull sometimes # pull: always or missing",
      })
  void whatCannotBeIsRefusedWithItsName(String line, String why) {
    assertThatThrownBy(() -> taken(line))
        .isInstanceOf(InvalidBlockException.class)
        .hasMessageStartingWith(why);
  }

  @Property(tries = 2000)
  void nonsenseIsRefusedOrTakenAndNothingElse(
      @ForAll @StringLength(max = 12) String value, @ForAll int which) {
    String[] names =
        HeaderArgumentTable.all().stream()
            .filter(row -> row.scope() == HeaderArgumentTable.Scope.BLOCK)
            .map(HeaderArgumentTable.Row::name)
            .toArray(String[]::new);
    String name = names[Math.floorMod(which, names.length)];
    try {
      var unused =
          BlockMapper.block(
              HeaderArguments.block(
                  item(), HeaderArgument.parse(":image r :ports web :" + name + " " + value)));
    } catch (InvalidBlockException e) {
      assertThat(e.argument()).isNotEmpty();
    }
  }

  @Test
  void eachArgumentIsUsedOrRejected() {
    for (HeaderArgumentTable.Row row : HeaderArgumentTable.all()) {
      boolean rejected = HeaderArguments.REJECTED.containsKey(row.name());
      assertThat(rejected).as(row.name()).isEqualTo(row.scope() == HeaderArgumentTable.Scope.EMACS);
    }
  }

  @Test
  void languagesAreRunAsEmacsRunsThem() throws IOException {
    String lisp = Files.readString(Path.of("../elisp/ob-mesos-lang.el"));
    String table =
        lisp.substring(lisp.indexOf("(defcustom ob-mesos-languages"), lisp.indexOf(":type"));
    Matcher row = Pattern.compile("\\(\"([^\"]+)\" \"([^\"]+)\" [a-zA-Z]+\\)").matcher(table);
    Map<String, List<String>> theirs = new TreeMap<>();
    while (row.find()) {
      theirs.put(row.group(1).toLowerCase(Locale.ROOT), List.of(row.group(2).split(" ")));
    }
    // Org's own name for the shell.
    theirs.put("shell", List.of("sh"));
    assertThat(SubmittedDocument.languages()).isEqualTo(theirs);
  }
}
