// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The dependencies of the packages are those of the table in docs/architecture.org. */
final class ArchitectureTest {
  /** The packages, lowest first; each imports only those before it. */
  private static final List<String> PACKAGES =
      List.of(
          "util",
          "task",
          "store",
          "driver",
          "executor",
          "sandbox",
          "local",
          "scheduler",
          "exec",
          "api",
          "rpc",
          "document",
          "http");

  private static JavaClasses classes() {
    return new ClassFileImporter()
        .withImportOption(new DoNotIncludeTests())
        .importPackages("org.obmesos");
  }

  @Test
  void theTableNamesThePackages() throws Exception {
    List<String> table =
        Files.readAllLines(Path.of("../docs/architecture.org")).stream()
            .map(Pattern.compile("\\| =([a-z]+)= .*")::matcher)
            .filter(Matcher::matches)
            .map(row -> row.group(1))
            .toList();
    assertThat(table).isEqualTo(PACKAGES);
  }

  @Test
  void aPackageImportsOnlyLowerPackages() {
    JavaClasses classes = classes();
    for (int n = 0; n < PACKAGES.size(); n++) {
      String[] higher =
          PACKAGES.subList(n + 1, PACKAGES.size()).stream()
              .map(name -> "org.obmesos." + name + "..")
              .toArray(String[]::new);
      if (higher.length > 0) {
        noClasses()
            .that()
            .resideInAPackage("org.obmesos." + PACKAGES.get(n) + "..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(higher)
            .check(classes);
      }
      noClasses()
          .that()
          .resideInAPackage("org.obmesos." + PACKAGES.get(n) + "..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.obmesos")
          .check(classes);
    }
  }

  /** What the table of docs/architecture.org says that a package does not know. */
  @Test
  void aPackageDoesNotKnowWhatItNeedNot() {
    JavaClasses classes = classes();
    check(classes, "task", "com.google..", "org.apache..", "org.sqlite..", "org.eclipse..");
    check(classes, "store", "org.apache..", "org.eclipse..");
    check(classes, "driver", "org.eclipse..", "org.sqlite..", "org.obmesos.store..");
    check(classes, "executor", "org.eclipse..", "org.obmesos.store..", "org.obmesos.driver..");
    check(classes, "sandbox", "org.eclipse..", "org.obmesos.local..", "org.obmesos.store..");
    check(classes, "local", "org.eclipse..", "com.sun.net.httpserver..", "org.obmesos.store..");
    check(classes, "scheduler", "com.google.gson..", "org.eclipse..", "org.obmesos.local..");
    check(classes, "api", "org.eclipse..", "org.apache.mesos..", "com.sun.net.httpserver..");
    check(classes, "exec", "org.apache.mesos..", "org.obmesos.scheduler..");
    check(classes, "rpc", "org.apache.mesos..", "org.obmesos.driver..");
    check(classes, "document", "org.apache.mesos..", "org.obmesos.scheduler..");
    check(classes, "http", "org.apache.mesos..", "org.obmesos.driver..", "org.obmesos.rpc..");
  }

  private static void check(JavaClasses classes, String name, String... unknown) {
    noClasses()
        .that()
        .resideInAPackage("org.obmesos." + name + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(unknown)
        .check(classes);
  }
}
