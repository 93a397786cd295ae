// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Test;

/** A room imports only rooms below it. */
final class RoomsTest {
  private static final ArchRule DOWNWARDS =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("main")
          .definedBy("org.obmesos")
          .layer("http")
          .definedBy("org.obmesos.http..")
          .layer("document")
          .definedBy("org.obmesos.document..")
          .layer("rpc")
          .definedBy("org.obmesos.rpc..")
          .layer("scheduler")
          .definedBy("org.obmesos.scheduler..")
          .layer("sandbox")
          .definedBy("org.obmesos.sandbox..")
          .layer("local")
          .definedBy("org.obmesos.local..")
          .layer("driver")
          .definedBy("org.obmesos.driver..")
          .layer("store")
          .definedBy("org.obmesos.store..")
          .layer("task")
          .definedBy("org.obmesos.task..")
          .whereLayer("main")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("http")
          .mayOnlyBeAccessedByLayers("main")
          .whereLayer("document")
          .mayOnlyBeAccessedByLayers("http", "main")
          .whereLayer("rpc")
          .mayOnlyBeAccessedByLayers("http", "main")
          .whereLayer("scheduler")
          .mayOnlyBeAccessedByLayers("rpc", "http", "main")
          .whereLayer("sandbox")
          .mayOnlyBeAccessedByLayers("scheduler", "rpc", "main")
          .whereLayer("local")
          .mayOnlyBeAccessedByLayers("sandbox", "main")
          .whereLayer("driver")
          .mayOnlyBeAccessedByLayers("local", "sandbox", "scheduler", "http", "main")
          .whereLayer("store")
          .mayOnlyBeAccessedByLayers("local", "scheduler", "http", "main");

  @Test
  void roomsImportOnlyDownwards() {
    DOWNWARDS.check(
        new ClassFileImporter()
            .withImportOption(new DoNotIncludeTests())
            .importPackages("org.obmesos"));
  }
}
