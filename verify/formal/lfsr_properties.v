// SPDX-License-Identifier: MIT
// lfsr_properties - mlp_lfsr is never 0 once it is loaded, and steps by its polynomial
//
// Backwards, bit by bit: whatever state follows, exactly one leads there.

`default_nettype none

module lfsr_properties (
    input wire        clk,
    input wire        load,
    input wire [15:0] seed,
    input wire        en
);

    wire [15:0] state;

    mlp_lfsr u_dut (.clk(clk), .load(load), .seed(seed), .en(en), .state(state));

    reg        loaded = 1'b0;
    reg        stepped;
    reg [15:0] before;

    // Of x^16 + x^14 + x^13 + x^11 + 1: the bit that goes out comes in behind bits 16, 14, 13 and 11.
    wire        out  = state[15];
    wire [15:0] back = {state[14], state[13] ^ out, state[12] ^ out, state[11],
                        state[10] ^ out, state[9:0], out};

    always @(posedge clk) begin
        loaded  <= loaded || load;
        before  <= load ? (seed == 0 ? 16'd1 : seed) : state;
        stepped <= !load && en;
        if (loaded) begin
            never_0: assert (state != 0);
            equals_its_formula: assert ((stepped ? back : state) == before);
        end
    end

endmodule

`default_nettype wire
