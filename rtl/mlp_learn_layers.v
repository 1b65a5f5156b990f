// SPDX-License-Identifier: MIT
// mlp_learn_layers - sizes and addresses of each layer
//
//     word  = words of masters before those of its weight set; row, of biases
//     input = words of inputs before its own, delta = deltas before its own
//
// Golden model   model/learning/core.py: Core
// Latency        0 cycles: constants, chosen by the layer's number
//
// Weight sets lie in the order of first use, inputs of the first layer elsewhere, deltas in the
// order in which they come to be: the last layer's first.

`default_nettype none

module mlp_learn_layers #(
    parameter N_LAYERS                  = 2,        // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N   = 96'h00000003_00000006_00000004,   // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET = 64'h00000001_00000000,    // weight set of each layer
    parameter LANES                     = 2,        // masters of a word
    parameter LAYER_W                   = 1,        // bits of a layer's number
    parameter ADDR_W                    = 5         // of each number
) (
    input  wire [LAYER_W-1:0] layer,
    output wire [ADDR_W-1:0]  cols,                 // inputs
    output wire [ADDR_W-1:0]  last_row,             // outputs - 1
    output wire [ADDR_W-1:0]  last_group,           // words of a row - 1
    output wire [ADDR_W-1:0]  word_base,
    output wire [ADDR_W-1:0]  row_base,
    output wire [ADDR_W-1:0]  x_base,
    output wire [ADDR_W-1:0]  d_base,
    output wire               brief,                // fewer than 6 words: see mlp_learn_sequence
    output wire               fresh                 // the first use of its weight set
);

    localparam ENTRIES = 1 << LAYER_W;
    localparam BRIEF   = 6;

    function integer size(input integer l);
        size = $signed(N[32*l +: 32]);
    endfunction

    function integer groups(input integer l);
        groups = (size(l) + LANES - 1) / LANES;
    endfunction

    function integer is_first(input integer l);
        integer k;
        begin
            is_first = 1;
            for (k = 0; k < l; k = k + 1)
                if (SET[32*k +: 32] == SET[32*l +: 32])
                    is_first = 0;
        end
    endfunction

    // Words, or rows, of all weight sets before that of layer l.
    function integer base(input integer l, input integer in_words);
        integer k;
        begin
            base = 0;
            for (k = 0; k < l; k = k + 1)
                if (is_first(k) == 1 && SET[32*k +: 32] < SET[32*l +: 32])
                    base = base + size(k + 1) * (in_words == 1 ? groups(k) : 1);
        end
    endfunction

    // One number a layer, 16 bits each.
    function [16*ENTRIES-1:0] numbers(input integer which);
        integer l, k, value;
        begin
            numbers = {(16*ENTRIES){1'b0}};
            for (l = 0; l < N_LAYERS; l = l + 1) begin
                value = 0;
                case (which)
                    0: value = size(l);
                    1: value = size(l + 1) - 1;
                    2: value = groups(l) - 1;
                    3: value = base(l, 1);
                    4: value = base(l, 0);
                    5: for (k = 1; k < l; k = k + 1) value = value + groups(k);
                    6: for (k = l + 1; k < N_LAYERS; k = k + 1) value = value + size(k + 1);
                    7: value = size(l + 1) * groups(l) < BRIEF ? 1 : 0;
                    default: value = is_first(l);
                endcase
                numbers[16*l +: 16] = value[15:0];
            end
        end
    endfunction

    localparam [16*ENTRIES-1:0] COLS   = numbers(0);
    localparam [16*ENTRIES-1:0] ROWS   = numbers(1);
    localparam [16*ENTRIES-1:0] GROUPS = numbers(2);
    localparam [16*ENTRIES-1:0] WORD   = numbers(3);
    localparam [16*ENTRIES-1:0] ROW    = numbers(4);
    localparam [16*ENTRIES-1:0] X      = numbers(5);
    localparam [16*ENTRIES-1:0] D      = numbers(6);
    localparam [16*ENTRIES-1:0] BRIEFS = numbers(7);
    localparam [16*ENTRIES-1:0] FRESH  = numbers(8);

    wire [LAYER_W+3:0] at = {layer, 4'd0};

    assign cols       = COLS[at +: ADDR_W];
    assign last_row   = ROWS[at +: ADDR_W];
    assign last_group = GROUPS[at +: ADDR_W];
    assign word_base  = WORD[at +: ADDR_W];
    assign row_base   = ROW[at +: ADDR_W];
    assign x_base     = X[at +: ADDR_W];
    assign d_base     = D[at +: ADDR_W];
    assign brief      = BRIEFS[at];
    assign fresh      = FRESH[at];

    // Layers that no core has: of an illegal size, or unlike the first of their weight set.
    function integer faults(input integer layers);
        integer l, k;
        begin
            faults = size(layers) < 1 || size(layers) > 256 ? 1 : 0;
            for (l = 0; l < layers; l = l + 1) begin
                if (size(l) < 1 || size(l) > 256)
                    faults = faults + 1;
                for (k = 0; k < l; k = k + 1)
                    if (SET[32*k +: 32] == SET[32*l +: 32] && (size(k) != size(l) || size(k+1) != size(l+1)))
                        faults = faults + 1;
            end
        end
    endfunction

    initial begin
        if (N_LAYERS < 1 || N_LAYERS > 16 || LANES < 1 || LANES > 256 || faults(N_LAYERS) != 0) begin
            $display("%m: N_LAYERS=%0d LANES=%0d N=%0h SET=%0h: need 1 .. 16, 1 .. 256, each 1 .. 256, layers of a set alike",
                     N_LAYERS, LANES, N, SET);
            $finish;
        end
    end

endmodule

`default_nettype wire
