from django.apps import AppConfig


class FirewallConfig(AppConfig):
    name = "firewall"
