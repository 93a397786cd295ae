// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;

/** Makes two offers of each offer of a cluster, for a framework to accept together or apart. */
final class SplitOffers {
  /** The id and the host name of the other agent. */
  static final String SECOND = "second";

  private final Set<String> declinedHalves = ConcurrentHashMap.newKeySet();
  private volatile boolean begun;
  private volatile Optional<String> other = Optional.empty();

  /**
   * Begins.
   *
   * @param address where the HTTP API of another agent is, which the second halves are of; empty if
   *     they are of the same one
   */
  void begin(Optional<String> address) {
    begun = true;
    other = address;
  }

  /** Returns a call of a framework as one about whole offers. */
  Call whole(Call call) {
    if (!begun) {
      return call;
    }
    Call.Builder changed = call.toBuilder();
    if (call.hasAccept()) {
      changed
          .getAcceptBuilder()
          .clearOfferIds()
          .addAllOfferIds(whole(call.getAccept().getOfferIdsList()));
    }
    if (call.hasDecline()) {
      List<OfferID> declined = call.getDecline().getOfferIdsList();
      declined.forEach(half -> declinedHalves.add(half.getValue()));
      changed
          .getDeclineBuilder()
          .clearOfferIds()
          .addAllOfferIds(
              whole(declined).stream()
                  .filter(
                      id ->
                          declinedHalves.contains(id.getValue() + "/1")
                              && declinedHalves.contains(id.getValue() + "/2"))
                  .toList());
    }
    return changed.build();
  }

  private static List<OfferID> whole(List<OfferID> halves) {
    return halves.stream()
        .map(id -> id.getValue().replaceAll("/[12]$", ""))
        .distinct()
        .map(id -> OfferID.newBuilder().setValue(id).build())
        .toList();
  }

  /** Returns an event with the halves of its offers. */
  Event split(Event event) {
    if (!begun || !event.hasOffers()) {
      return event;
    }
    Event.Builder changed = event.toBuilder();
    changed.getOffersBuilder().clearOffers();
    for (Offer offer : event.getOffers().getOffersList()) {
      for (String half : List.of("/1", "/2")) {
        Offer.Builder made = offer.toBuilder().clearResources();
        made.getIdBuilder().setValue(offer.getId().getValue() + half);
        for (Resource resource : offer.getResourcesList()) {
          if (!resource.hasScalar()) {
            continue;
          }
          Resource.Builder part = resource.toBuilder();
          part.getScalarBuilder().setValue(resource.getScalar().getValue() / 2);
          made.addResources(part);
        }
        if (half.equals("/2")) {
          other.ifPresent(address -> moveTo(made, address));
        }
        changed.getOffersBuilder().addOffers(made);
      }
    }
    return changed.build();
  }

  private static void moveTo(Offer.Builder offer, String address) {
    offer.getAgentIdBuilder().setValue(SECOND);
    offer.setHostname(SECOND);
    offer
        .getUrlBuilder()
        .getAddressBuilder()
        .setPort(Integer.parseInt(address.substring(address.indexOf(':') + 1)));
  }
}
