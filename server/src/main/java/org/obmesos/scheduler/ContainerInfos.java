// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.mesos.v1.Protos.ContainerInfo;
import org.apache.mesos.v1.Protos.Image;
import org.apache.mesos.v1.Protos.NetworkInfo;
import org.apache.mesos.v1.Protos.Parameter;
import org.apache.mesos.v1.Protos.Volume;
import org.obmesos.task.Container;
import org.obmesos.task.Network;

/** Converts a container to Mesos' ContainerInfo (its docs/container-image.md, mesos.proto). */
final class ContainerInfos {
  private static final String BRIDGE = "bridge";

  private ContainerInfos() {}

  /**
   * Converts a container.
   *
   * @param offered the host ports from the offer, for the mappings without one
   * @param shell whether it runs a shell instead of the image's own command
   */
  static ContainerInfo of(Container container, List<Integer> offered, boolean shell) {
    ContainerInfo.Builder info = ContainerInfo.newBuilder();
    for (Container.Volume volume : container.volumes()) {
      info.addVolumes(
          Volume.newBuilder()
              .setHostPath(volume.host())
              .setContainerPath(volume.container())
              .setMode(volume.readOnly() ? Volume.Mode.RO : Volume.Mode.RW));
    }
    Deque<Integer> ports = new ArrayDeque<>(offered);
    switch (container.image().containerizer()) {
      case DOCKER -> {
        docker(info, container, ports);
        if (shell) {
          info.getDockerBuilder()
              .addParameters(Parameter.newBuilder().setKey("entrypoint").setValue("/bin/sh"));
        }
      }
      case MESOS -> mesos(info, container, ports);
    }
    return info.build();
  }

  private static int host(Network.Exposed port, Deque<Integer> offered) {
    return port.host() == 0 ? offered.removeFirst() : port.host();
  }

  private static void docker(
      ContainerInfo.Builder info, Container container, Deque<Integer> offered) {
    Network network = container.network();
    ContainerInfo.DockerInfo.Builder docker =
        info.setType(ContainerInfo.Type.DOCKER)
            .getDockerBuilder()
            .setImage(container.image().name())
            .setPrivileged(container.privileged())
            .setForcePullImage(container.image().pull())
            .setNetwork(
                network.isHost()
                    ? ContainerInfo.DockerInfo.Network.HOST
                    : network.name().equals(BRIDGE)
                        ? ContainerInfo.DockerInfo.Network.BRIDGE
                        : ContainerInfo.DockerInfo.Network.USER);
    for (Network.Exposed port : network.exposed()) {
      docker.addPortMappings(
          ContainerInfo.DockerInfo.PortMapping.newBuilder()
              .setHostPort(host(port, offered))
              .setContainerPort(port.container()));
    }
    if (docker.getNetwork() == ContainerInfo.DockerInfo.Network.USER) {
      info.addNetworkInfos(NetworkInfo.newBuilder().setName(network.name()));
    }
  }

  private static void mesos(
      ContainerInfo.Builder info, Container container, Deque<Integer> offered) {
    info.setType(ContainerInfo.Type.MESOS)
        .setMesos(
            ContainerInfo.MesosInfo.newBuilder()
                .setImage(
                    Image.newBuilder()
                        .setType(Image.Type.DOCKER)
                        .setCached(!container.image().pull())
                        .setDocker(Image.Docker.newBuilder().setName(container.image().name()))));
    Network network = container.network();
    if (!network.isHost()) {
      NetworkInfo.Builder named = NetworkInfo.newBuilder().setName(network.name());
      for (Network.Exposed port : network.exposed()) {
        named.addPortMappings(
            NetworkInfo.PortMapping.newBuilder()
                .setHostPort(host(port, offered))
                .setContainerPort(port.container()));
      }
      info.addNetworkInfos(named);
    }
  }
}
