package io.rigmesh.node;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Test;

/// The arrows of docs/architecture.md: who may know whom.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.rigmesh");

  @Test
  void everyModuleIsLookedAt() {
    for (String module :
        new String[] {"protocol", "libp2p", "worker", "scheduler", "ledger", "node"}) {
      assertThat(CLASSES.containPackage("io.rigmesh." + module)).as(module).isTrue();
    }
  }

  @Test
  void modulesKnowEachOtherOnlyAlongTheArrows() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("io.rigmesh..")
        .layer("protocol")
        .definedBy("io.rigmesh.protocol..")
        .layer("libp2p")
        .definedBy("io.rigmesh.libp2p..")
        .layer("gpu-worker")
        .definedBy("io.rigmesh.worker..")
        .layer("scheduler")
        .definedBy("io.rigmesh.scheduler..")
        .layer("ledger-client")
        .definedBy("io.rigmesh.ledger..")
        .layer("node-daemon")
        .definedBy("io.rigmesh.node..")
        .whereLayer("protocol")
        .mayOnlyBeAccessedByLayers("gpu-worker", "scheduler", "ledger-client", "node-daemon")
        .whereLayer("libp2p")
        .mayOnlyBeAccessedByLayers("node-daemon")
        .whereLayer("libp2p")
        .mayNotAccessAnyLayer()
        .whereLayer("gpu-worker")
        .mayOnlyBeAccessedByLayers("node-daemon")
        .whereLayer("scheduler")
        .mayOnlyBeAccessedByLayers("node-daemon")
        .whereLayer("ledger-client")
        .mayOnlyBeAccessedByLayers("node-daemon")
        .whereLayer("node-daemon")
        .mayNotBeAccessedByAnyLayer()
        .check(CLASSES);
  }

  @Test
  void vectorModuleIsUsedInOnePackageOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.rigmesh.worker.kernels.vector..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator.vector..")
        .check(CLASSES);
  }

  @Test
  void protocolAndSchedulerTouchNoFilesNetworkOrThreads() {
    noClasses()
        .that()
        .resideInAnyPackage("io.rigmesh.protocol..", "io.rigmesh.scheduler..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.nio.file..", "java.net..", "java.nio.channels..")
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(java.util.concurrent.Executor.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Thread.class)
        .check(CLASSES);
  }

  @Test
  void onlyTheLedgerClientKnowsWeb3jAndOnlyRestAndMetricsTheirLibraries() {
    onlyKnown("org.web3j..", "io.rigmesh.ledger..").check(CLASSES);
    onlyKnown("com.linecorp.armeria..", "io.rigmesh.node.rest..").check(CLASSES);
    onlyKnown("io.micrometer..", "io.rigmesh.node.metrics..").check(CLASSES);
    onlyKnown("picocli..", "io.rigmesh.node.cli..").check(CLASSES);
  }

  private static ArchRule onlyKnown(String library, String home) {
    return noClasses()
        .that()
        .resideOutsideOfPackage(home)
        .and()
        .resideInAPackage("io.rigmesh.node..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library);
  }

  @Test
  void theDaemonDoesNotKnowTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.rigmesh.node.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.rigmesh.node.cli..")
        .check(CLASSES);
  }

  @Test
  void engineKnowsNoLanguageModelInItsKernels() {
    slices()
        .matching("io.rigmesh.worker.(tensor|kernels|format|tokenizer)..")
        .should()
        .beFreeOfCycles()
        .check(CLASSES);
  }

  @Test
  void namesSayWhatThingsAre() {
    // libp2p's resource and connection managers are called so by every implementation.
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("io.rigmesh.libp2p.resource.ResourceManager")
        .and()
        .doNotHaveFullyQualifiedName("io.rigmesh.libp2p.ConnectionManager")
        // What the JDK calls so.
        .and()
        .areNotAssignableTo(javax.net.ssl.TrustManager.class)
        .and()
        .areNotAssignableTo(javax.net.ssl.KeyManager.class)
        .should()
        .haveNameMatching(".*(Manager|Helper|Util|Utils|Impl|Common)")
        .check(CLASSES);
    classes()
        .that()
        .haveSimpleNameEndingWith("Exception")
        .should()
        .beAssignableTo(RuntimeException.class)
        .check(CLASSES);
  }

  @Test
  void aWrongArrowWouldBeNoticed() {
    ArchRule wrong =
        noClasses()
            .that()
            .resideInAPackage("io.rigmesh.node..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.rigmesh.protocol..");
    assertThatThrownBy(() -> wrong.check(CLASSES)).isInstanceOf(AssertionError.class);
  }
}
